-- Which periods were sealed before this build's instant, and when by the source's clock. A period's
-- own freeze builds before it seals.
with final as (
    select
        period_id,
        {{ local_date('as_known_at') }} as sealed_date
    from {{ source('frozen', 'release') }}
    where kind = 'original' and as_known_at < {{ as_known_at() }}
)

select * from final
