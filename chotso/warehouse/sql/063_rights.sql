-- What must hold of roles, owners and rights: written down by `migrate`, which puts it back when a
-- backup brought the rows and lost the rest.
create table guard.expected (
    kind text not null check (kind in (
        'role', 'member', 'setting', 'owner', 'right', 'default'
    )),
    object_kind text not null,
    object text not null,
    role text not null,
    word text not null,
    primary key (kind, object_kind, object, role, word)
);
comment on table guard.expected is
'Vai trò, chủ sở hữu và quyền phải có — roles, owners and rights as the last upgrade left them';
comment on column guard.expected.kind is
'Vai trò, thành viên, thiết lập, chủ sở hữu, quyền, quyền mặc định — what is said of it';
comment on column guard.expected.object_kind is
'Loại đối tượng: database, schema, table, view, sequence, function, column, role — kind of object';
comment on column guard.expected.object is 'Đối tượng — the object, with its schema';
comment on column guard.expected.role is
'Vai trò; PUBLIC là mọi người — the role; PUBLIC is everybody';
comment on column guard.expected.word is
'Quyền, thuộc tính hay giá trị — the right, attribute or value';
alter table guard.expected owner to chotso_owner;
grant select on guard.expected to chotso_loader, chotso_auditor;
