{{ pluvo.pivot_custom_fields(ref('lms_custom_field_values'), var('pluvo_custom_fields')) }}
