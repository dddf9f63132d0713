{{ pluvo.pivot_custom_fields(ref('pluvo__lms_custom_field_values'), var('pluvo_custom_fields')) }}
