-- Generated from schemas/ by generate.py: change it there.
{{ pluvo.stage(
    source('pluvo', 'certificates'),
    key=['id'],
    columns={
        'id': 'text',
        'name': 'text',
        'title': 'text',
    },
    full_read=true,
) }}
