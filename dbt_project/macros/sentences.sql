{# Sentences of the ranking, one per point and place. Each macro uses the columns of its CTE.
   Officials read the Vietnamese; the English has the same meaning. #}

{% macro said(language, vietnamese, english) -%}
    {{ text_literal(vietnamese if language == 'vi' else english) }}
{%- endmacro %}

{# The kind of participant; English uses the plural except for one. #}
{% macro kind_text(participant_type, language, count='2') -%}
    case {{ participant_type }}
    {%- if language == 'vi' %}
        when 'agency' then 'đơn vị'
        else 'cán bộ'
    {%- else %}
        when 'agency' then case when {{ count }} = 1 then 'agency' else 'agencies' end
        else case when {{ count }} = 1 then 'officer' else 'officers' end
    {%- endif %}
    end
{%- endmacro %}

{# The measured month, as people write it. #}
{% macro month_text(month, language) -%}
    to_char({{ month }}, {{ said(language, 'MM/YYYY', 'YYYY-MM') }})
{%- endmacro %}

{# A share of the plan in brackets. #}
{% macro share_text(share, beside, direction, language) -%}
    {{ said(language, ' (bằng ', ' (') }}
    || {{ percent_text(share, beside, language) }}
    || case {{ direction }}
        when 'below' then {{ said(language, ' chỉ tiêu)', ' of the target)') }}
        else {{ said(language, ' kế hoạch)', ' of the plan)') }}
    end
{%- endmacro %}

{# Why a participant is not considered, from the columns of `found`. #}
{% macro obstacle_text(language) -%}
    {%- set actual = figure_text(
        'found.actual_to_date', 'found.unit_code', 'found.plan_in_force', language
    ) -%}
    {%- set target = figure_text(
        'found.plan_in_force', 'found.unit_code', none, language
    ) -%}
    found.metric_name_{{ language }}
    || {{ said(language, ': ', ': ') }}
    || case found.obstacle_code
        when 'gate_failed'
            then {{ said(language, 'thực hiện ', 'actual ') }}
                || {{ actual }}
                || case found.direction_code
                    when 'below'
                        then {{ said(
                            language, ', không đạt điều kiện dưới ', ', not below the required '
                        ) }}
                    else {{ said(
                        language, ', không đạt điều kiện tối thiểu ', ', less than the required '
                    ) }}
                end
                || {{ target }}
        when 'no_plan'
            then {{ said(language, 'không có kế hoạch đang hiệu lực', 'no plan in force') }}
        when 'plan_zero'
            then {{ said(language, 'kế hoạch được giao bằng 0', 'the plan is 0') }}
        else
            {{ said(language, 'chưa có số liệu của tháng ', 'no figure of ') }}
            || {{ month_text('found.measured_month', language) }}
    end
{%- endmacro %}

{# The figure and its plan, from the columns of `scored`. #}
{% macro measured_text(language) -%}
    scored.metric_name_{{ language }}
    || {{ said(language, ': ', ': ') }}
    || coalesce(
        {{ said(language, 'thực hiện ', 'actual ') }}
        || {{ figure_text(
            'scored.actual_to_date', 'scored.unit_code', 'scored.plan_in_force', language
        ) }},
        {{ said(language, 'chưa có số liệu của tháng ', 'no figure of ') }}
        || {{ month_text('scored.measured_month', language) }}
    )
    || coalesce(
        case scored.direction_code
            when 'below' then {{ said(language, ', chỉ tiêu dưới ', ', target below ') }}
            else {{ said(language, ', kế hoạch ', ', plan ') }}
        end
        || {{ figure_text(
            'scored.plan_in_force', 'scored.unit_code', none, language
        ) }},
        {{ said(language, ', không có kế hoạch đang hiệu lực', ', no plan in force') }}
    )
    || coalesce(
        {{ share_text('scored.attainment_ratio', '1', 'scored.direction_code', language) }}, ''
    )
{%- endmacro %}

{# The figure compared with the plan, up to the points, from the columns of `scored`. #}
{% macro result_text(language) -%}
    case scored.result_code
        when 'not_considered'
            then {{ said(
                language, 'không tính điểm vì không được xét thi đua', 'no points: not considered'
            ) }}
        when 'no_plan'
            then {{ said(language, 'không có kế hoạch để so sánh nên ', 'nothing to compare with: ') }}
        when 'plan_zero'
            then {{ said(
                language,
                'kế hoạch bằng 0 thì không tính được mức hoàn thành nên ',
                'a plan of 0 has no attainment: '
            ) }}
        when 'no_figure'
            then {{ said(language, 'không có số liệu để so sánh nên ', 'nothing to compare: ') }}
        when 'negative'
            then {{ said(language, 'số thực hiện âm nên ', 'the actual is negative: ') }}
        when 'below_target'
            then case scored.direction_code
                when 'below'
                    then {{ said(language, 'chưa thấp hơn chỉ tiêu nên ', 'not below the target: ') }}
                else {{ said(language, 'chưa đạt kế hoạch nên ', 'short of the plan: ') }}
            end
        when 'at_target' then {{ said(language, 'đúng bằng kế hoạch nên ', 'just the plan: ') }}
        else {{ excess_text(language) }}
    end
{%- endmacro %}

{# The excess over the plan, and the best excess, from the columns of `scored`. #}
{% macro excess_text(language) -%}
    case scored.direction_code
        when 'below' then {{ said(language, 'thấp hơn chỉ tiêu ', 'below the target by ') }}
        else {{ said(language, 'vượt kế hoạch ', 'over the plan by ') }}
    end
    || case
        when scored.actual_to_date = scored.plan_in_force
            then {{ said(
                language, 'một khoảng nhỏ hơn mức làm tròn', 'less than what rounding shows'
            ) }}
        else {{ distance_text(
            'abs(scored.actual_to_date - scored.plan_in_force)', 'scored.unit_code', language
        ) }}
    end
    || case scored.excess_code
        when 'share_of_target'
            then {{ share_text('scored.excess_ratio', '0', 'scored.direction_code', language) }}
        else ''
    end
    || case scored.result_code
        when 'leader'
            then {{ said(language, ', mức cao nhất trong các ', ', the most of all ') }}
                || {{ kind_text('scored.participant_type', language) }}
                || {{ said(language, ' được xét, nên ', ' considered: ') }}
        else
            {{ said(language, ', tức ', ', which is ') }}
            || {{ percent_text('scored.share_of_leader_ratio', '1', language) }}
            || {{ said(language, ' mức của ', ' of the leading ') }}
            || {{ kind_text('scored.participant_type', language, '1') }}
            || {{ said(language, ' dẫn đầu (', ' (') }}
            || scored.leader_names
            || {{ said(language, '), nên ', '): ') }}
    end
{%- endmacro %}

{# The whole sentence of one point, from the columns of `scored`. #}
{% macro point_text(language) -%}
    {%- set at_target = plain_text('scored.at_target_points', language) -%}
    {{ measured_text(language) }}
    || '; '
    || {{ result_text(language) }}
    || case
        when scored.points is null then ''
        else
            {{ said(language, 'được ', '') }}
            || {{ number_text('scored.points', 'scored.decimals_count', language) }}
            || {{ said(language, ' trên ', ' of ') }}
            || {{ plain_text('scored.weight_points', language) }}
            || {{ said(language, ' điểm', ' points') }}
    end
    || case scored.result_code
        when 'below_target'
            then ' (' || {{ at_target }} || case scored.direction_code
                when 'below'
                    then {{ said(
                        language,
                        ' điểm nhân với chỉ tiêu chia cho thực hiện)',
                        ' × target ÷ actual)'
                    ) }}
                else {{ said(language, ' điểm nhân với tỷ lệ hoàn thành)', ' × actual ÷ plan)') }}
            end
        when 'above_target'
            then ' (' || {{ at_target }}
                || {{ said(language, ' điểm vì đạt và ', ' for being met, ') }}
                || {{ plain_text('(scored.points - scored.at_target_points)', language) }}
                || {{ said(language, ' điểm theo mức vượt)', ' by the excess)') }}
        else ''
    end
    || '.'
{%- endmacro %}

{# The place and how it was determined, from the columns of `placed`. #}
{% macro standing_text(language) -%}
    case
        when not placed.is_considered
            then {{ said(language, 'Không xét: ', 'Not considered: ') }}
                || placed.reasons_{{ language }}
        else
            {{ said(language, 'Xếp hạng ', 'Rank ') }}
            || placed.rank_number
            || {{ said(language, ' trong ', ' of ') }}
            || placed.considered_count || ' '
            || {{ kind_text('placed.participant_type', language, 'placed.considered_count') }}
            || {{ said(language, ' được xét, tổng ', ' considered, ') }}
            || {{ number_text('placed.total_points', 'placed.decimals_count', language) }}
            || {{ said(language, ' trên ', ' of ') }}
            || {{ plain_text('placed.full_points', language) }}
            || {{ said(language, ' điểm', ' points') }}
            || {{ tie_text(language) }}
    end
    || '.'
{%- endmacro %}

{# Participants with the same total, and the tie-breaking metric, from the columns of `placed`. #}
{% macro tie_text(language) -%}
    case
        when placed.level_count > 0
            then {{ said(language, '; bằng điểm với ', '; level with ') }}
                || placed.level_count || ' '
                || {{ kind_text('placed.participant_type', language, 'placed.level_count') }}
                || {{ said(
                    language,
                    ' khác, phân định theo mức hoàn thành của chỉ tiêu ',
                    ' more, separated by the attainment of '
                ) }}
                || placed.tie_metric_name_{{ language }}
        else ''
    end
    || case
        when placed.sharing_count > 0
            then {{ said(language, '; đồng hạng với ', '; shares the rank with ') }}
                || placed.sharing_count || ' '
                || {{ kind_text('placed.participant_type', language, 'placed.sharing_count') }}
                || {{ said(
                    language,
                    ' khác vì bằng điểm và bằng nhau ở mọi chỉ tiêu phân định',
                    ' more, equal in points and in all that breaks ties'
                ) }}
        else ''
    end
{%- endmacro %}
