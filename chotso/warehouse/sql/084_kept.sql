-- Which builds counted only what changed, and since which build; null: all were counted.
alter table ops.build add column base_build_id bigint references ops.build;
comment on column ops.build.base_build_id is
'Bản dựng làm gốc để cộng thêm thay đổi — the build whose sums this one added changes to';
