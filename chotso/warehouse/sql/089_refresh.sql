-- A refresh within the day reads what a night reads, for the date whose night is still to come.
alter table ops.batch add column is_refresh boolean not null default false;
comment on column ops.batch.is_refresh is
'Lô của lần cập nhật trong ngày, đêm của ngày đó còn đến — of a refresh within the day: the night '
'of its date is still to come';

alter table ops.build add column is_refresh boolean not null default false;
comment on column ops.build.is_refresh is
'Bản dựng trong ngày, trước đêm của ngày đó — of a date that only refreshes within the day (and a '
'freeze) had read: its night is still to come';
