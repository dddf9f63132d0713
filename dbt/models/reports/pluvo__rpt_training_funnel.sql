with participants as (

    select distinct
        trainings.organization,
        trainings.training_title,
        participants.user_id
    from {{ ref('pluvo__lms_training_participants') }} as participants
    inner join {{ ref('pluvo', 'pluvo__dim_trainings') }} as trainings
        on participants.training_id = trainings.training_id
    where participants.member_role = 'participant'

),

people as (

    select
        coalesce(participants.organization, training_status.organization) as organization,
        coalesce(participants.training_title, training_status.training_title) as training_title,
        participants.user_id as participant_id,
        training_status.is_started,
        training_status.is_completed,
        training_status.progress,
        training_status.score,
        training_status.first_completed_on,
        training_status.last_completed_on
    from participants
    full outer join {{ ref('pluvo', 'pluvo__fct_training_status') }} as training_status
        on
            participants.user_id = training_status.user_id
            and participants.training_title = training_status.training_title

),

titles as (

    select
        organization,
        training_title,
        count(*) as trainings_with_title,
        count(case when not coalesce(is_archived, false) then 1 end) = 0 as is_archived
    from {{ ref('pluvo', 'pluvo__dim_trainings') }}
    group by organization, training_title

)

select
    people.organization,
    people.training_title,
    coalesce(titles.trainings_with_title, 0) as trainings_with_title,
    titles.is_archived,
    count(*) as people,
    count(people.participant_id) as participants,
    count(case when people.is_started then 1 end) as started,
    count(case when people.is_completed then 1 end) as completed,
    {{ pluvo.share('count(case when people.is_completed then 1 end)', 'count(*)') }} as completed_share,
    {{ pluvo.rounded('avg(people.progress)') }} as average_progress,
    count(people.score) as people_with_score,
    min(people.score) as lowest_score,
    {{ pluvo.rounded('avg(people.score)') }} as average_score,
    max(people.score) as highest_score,
    min(people.first_completed_on) as first_completed_on,
    max(people.last_completed_on) as last_completed_on
from people
left join titles
    on people.training_title = titles.training_title and {{ pluvo.same_organization('people', 'titles') }}
group by people.organization, people.training_title, coalesce(titles.trainings_with_title, 0), titles.is_archived
