-- Who holds a lock that we wait for is told with its age, which only a session's own login and
-- pg_read_all_stats may see. Nobody can log in as chotso_owner; ops.session_of (in code/) shows the
-- loader a session's name, login and age, and no statement.
grant pg_read_all_stats to chotso_owner;
