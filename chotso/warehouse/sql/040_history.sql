-- Standing totals: what was in force of a feed after each published batch. The rules against
-- history compare a batch's total with the median of those of the days before.
create table ops.standing (
    entry bigint generated always as identity primary key,
    batch_id text not null unique references ops.batch,
    feed text not null,
    business_date date not null,
    standing_rows bigint not null,
    standing_money numeric not null
);
create index on ops.standing (feed, business_date, entry);
create index on ops.standing (feed, entry);
comment on table ops.standing is
'Tổng còn hiệu lực sau mỗi lô — rows and money in force of the feed after each published batch';
comment on column ops.standing.entry is 'Thứ tự công bố — order of publishing';
comment on column ops.standing.batch_id is 'Lô — the batch';
comment on column ops.standing.feed is 'Nguồn dữ liệu — the feed';
comment on column ops.standing.business_date is 'Ngày nghiệp vụ — the date it was read for';
comment on column ops.standing.standing_rows is 'Số dòng còn hiệu lực — rows in force';
comment on column ops.standing.standing_money is 'Số tiền còn hiệu lực — money in force, đồng';
alter table ops.standing owner to chotso_owner;
grant select, insert on ops.standing to chotso_loader;
grant select on ops.standing to chotso_auditor;
