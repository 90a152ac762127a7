-- A statement may prove nothing of what it lacks; a file that comes again replaces what it said.
alter table ops.statement
add column proves_absence boolean not null default true,
add column replaced_at timestamptz,
drop constraint statement_pkey,
add primary key (feed, scope_key, stated_at, batch_id);
create unique index statement_in_force on ops.statement (feed, scope_key, stated_at)
where replaced_at is null;
comment on column ops.statement.proves_absence is
'Chứng minh được sự vắng mặt — whether what it lacks is known to be gone';
comment on column ops.statement.replaced_at is
'Được thay bằng chính tệp đó gửi lại — when the same file came again with other rows, else null';
