-- Who watches the nights reads views of the ledger alone (code/080_nights.sql to 082_state.sql).
do $$
begin
    if not exists (select from pg_roles where rolname = 'chotso_operator') then
        create role chotso_operator nologin;
    end if;
end
$$;
grant usage on schema ops to chotso_operator;

-- Words for those views, written by `chotso migrate` from config/feeds/ and expectations/.
create table ops.feed (
    feed text primary key,
    name_vi text not null,
    name_en text not null,
    sort_order integer not null,
    source_kind text not null check (source_kind in ('table', 'file'))
);
comment on table ops.feed is
'Các nguồn dữ liệu, ghi lúc nâng cấp — the feeds and their names, as last migrated';
comment on column ops.feed.feed is 'Mã nguồn dữ liệu — code of the feed';
comment on column ops.feed.name_vi is 'Tên nguồn — its Vietnamese name';
comment on column ops.feed.name_en is 'Tên tiếng Anh — its English name';
comment on column ops.feed.sort_order is 'Thứ tự — place in lists';
comment on column ops.feed.source_kind is
'Bảng được đọc mỗi đêm, hay tệp gửi đến — table: read each night; file: comes when it is sent';

create table ops.rule (
    rule_id text primary key,
    sentence_vi text not null,
    sentence_en text not null,
    next_action_vi text not null,
    next_action_en text not null
);
comment on table ops.rule is
'Các quy tắc kiểm tra, ghi lúc nâng cấp — what each rule says, as last migrated';
comment on column ops.rule.rule_id is 'Mã quy tắc — the rule';
comment on column ops.rule.sentence_vi is 'Nội dung — the rule, in Vietnamese';
comment on column ops.rule.sentence_en is 'Nội dung tiếng Anh — the rule, in English';
comment on column ops.rule.next_action_vi is 'Việc cần làm — what to do, in Vietnamese';
comment on column ops.rule.next_action_en is 'Việc cần làm, tiếng Anh — what to do, in English';

alter table ops.feed owner to chotso_owner;
alter table ops.rule owner to chotso_owner;
grant select on ops.feed, ops.rule to chotso_auditor;
