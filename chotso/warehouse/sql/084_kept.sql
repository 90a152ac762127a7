-- Which builds counted only what changed, and since which build.
alter table ops.build add column base_build_id bigint references ops.build;
comment on column ops.build.base_build_id is
'Bản dựng được cộng thêm thay đổi — the build whose sums over persons this one added changes to; null: all were counted';
