-- What operators see of incidents: no text of them, because these name files and sessions.
create or replace view ops.incidents as
select
    incident.incident_id,
    incident.kind,
    incident.severity,
    incident.business_date,
    incident.period_id,
    incident.dag_id,
    incident.task_id,
    incident.fault_count,
    incident.opened_at,
    incident.acknowledged_at,
    incident.ended_at,
    incident.ended_at is null as is_open,
    extract(
        epoch from coalesce(incident.ended_at, clock_timestamp()) - incident.opened_at
    )::integer as duration_seconds,
    kind.name_vi as kind_vi,
    kind.name_en as kind_en,
    severity.name_vi as severity_vi,
    severity.name_en as severity_en,
    state.name_vi as state_vi,
    state.name_en as state_en
from ops.incident as incident
left join ops.incident_kind as kind on incident.kind = kind.kind
left join ops.status_label as severity on incident.severity = severity.code
left join ops.status_label as state
    on state.code = case when incident.ended_at is null then 'open' else 'over' end;
comment on view ops.incidents is
'Sự cố — one row per cause and night: what kind, how bad, since when; the text is in '
'`chotso incidents`';
comment on column ops.incidents.incident_id is 'Số của sự cố — number of the incident';
comment on column ops.incidents.kind is 'Loại sự cố — the kind';
comment on column ops.incidents.severity is 'Mức độ — critical, error or warning';
comment on column ops.incidents.business_date is
'Ngày nghiệp vụ của đêm — the night that it belongs to';
comment on column ops.incidents.period_id is 'Kỳ bị ảnh hưởng — the period at stake, if any';
comment on column ops.incidents.dag_id is 'DAG — the DAG that a person looks at';
comment on column ops.incidents.task_id is 'Tác vụ — its task';
comment on column ops.incidents.fault_count is
'Số lần ghi nhận — faults counted into it; do not add up over kinds';
comment on column ops.incidents.opened_at is 'Bắt đầu (giờ máy chủ) — opened, server''s clock';
comment on column ops.incidents.acknowledged_at is 'Được tiếp nhận lúc — acknowledged at';
comment on column ops.incidents.ended_at is 'Kết thúc lúc — ended; null: it is open';
comment on column ops.incidents.is_open is 'Còn mở — whether it is open';
comment on column ops.incidents.duration_seconds is
'Kéo dài (giây) — seconds that it lasted, or lasts so far';
comment on column ops.incidents.kind_vi is 'Tên loại — the kind, in Vietnamese';
comment on column ops.incidents.kind_en is 'Tên loại, tiếng Anh — the kind, in English';
comment on column ops.incidents.severity_vi is 'Tên mức độ — the severity, in Vietnamese';
comment on column ops.incidents.severity_en is 'Tên mức độ, tiếng Anh — in English';
comment on column ops.incidents.state_vi is 'Tình trạng — open or over, in Vietnamese';
comment on column ops.incidents.state_en is 'Tình trạng, tiếng Anh — in English';

grant select, insert, update on ops.incident, ops.incident_notice to chotso_loader;
grant select, insert on ops.release_check to chotso_loader;
grant select on ops.incident, ops.incident_notice, ops.incident_kind, ops.release_check
to chotso_auditor;
