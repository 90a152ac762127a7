-- Sessions of readers that held up the product and were ended for it (code/071_lock_holders.sql).
create table ops.ended_session (
    ended_id bigint generated always as identity primary key,
    ended_at timestamptz not null default clock_timestamp(),
    login text not null,
    application_name text not null,
    pid integer not null,
    begun_at timestamptz,
    idle_since timestamptz,
    held_up text not null,
    waited interval not null
);
comment on table ops.ended_session is
'Phiên của người đọc đã bị ngắt — readers'' sessions that were ended because work waited for them';
comment on column ops.ended_session.ended_at is 'Lúc bị ngắt — when it was ended';
comment on column ops.ended_session.login is 'Tài khoản — its login';
comment on column ops.ended_session.application_name is 'Chương trình — its application_name';
comment on column ops.ended_session.pid is 'Tiến trình của máy chủ — its server process';
comment on column ops.ended_session.begun_at is
'Giao dịch bắt đầu lúc — when its transaction began';
comment on column ops.ended_session.idle_since is
'Không làm gì từ lúc — since when it did nothing; null: a statement was running';
comment on column ops.ended_session.held_up is
'Phiên phải chờ — application_name of the session that waited for it';
comment on column ops.ended_session.waited is 'Đã chờ bao lâu — for how long';
alter table ops.ended_session owner to chotso_owner;
grant select on ops.ended_session to chotso_loader, chotso_auditor;
