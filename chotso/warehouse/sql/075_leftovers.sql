-- What lay in sealing and belonged to no seal, of each freeze that took it away before its own.
alter table ops."freeze" add column leftovers jsonb;
comment on column ops."freeze".leftovers is
'Dòng đã đặt mà chưa niêm phong, bị xóa trước khi niêm phong — rows by table that lay in sealing, '
'laid down by nobody''s seal, and were taken away before this one; null: none';
