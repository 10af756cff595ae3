-- The ledger of Crossfade: what is in transition, where it stands, how it got there.
-- Every table has a primary key, so that a publication FOR ALL TABLES does no harm.

create schema crossfade;

create table crossfade.schema_version (
    version    int primary key,
    applied_at timestamptz not null default now()
);

-- The epoch counts every change that a connection of an application must not miss.
create table crossfade.epoch (
    id    boolean primary key default true check (id),
    epoch int not null
);
insert into crossfade.epoch (epoch) values (1);

create table crossfade.transition (
    id               bigint generated always as identity primary key,
    name             text not null,
    table_schema     text not null,
    table_name       text not null,
    -- immutable: what the transition does, as the migrator wrote it down when it began
    definition       jsonb not null,
    phase            text not null,
    -- the epoch of the last move, and the token of the phase in force; '' for one
    -- that moves no column, which concerns no connection
    epoch            int not null,
    token            text not null,
    -- the token of the phase that is being left; null once it has been dropped
    draining         text,
    -- until then connections wait before they join, for a flip between two phases
    -- that cannot be in force at once
    hold_until       timestamptz,
    -- in phase live: how many of 100 connections read the target, the others the source
    ramp             int not null default 100 check (ramp between 0 and 100),
    registered_epoch int not null,
    -- the last step that is wholly done, and the one that is being done or undone
    step             text not null default '',
    underway         text not null default '',
    created_at       timestamptz not null default now(),
    removed_at       timestamptz
);
create unique index transition_name_key on crossfade.transition (name) where removed_at is null;

create table crossfade.history (
    id            bigint generated always as identity primary key,
    transition_id bigint not null references crossfade.transition,
    at            timestamptz not null default clock_timestamp(),
    epoch         int not null,
    actor         text not null,
    -- what happened: register, move, drained, step, undo, request, remove ...
    event         text not null,
    detail        text not null default '',
    evidence      jsonb not null default '{}'
);
create index history_transition_idx on crossfade.history (transition_id, id);

-- Scans over the whole table, by one or more workers. The key columns travel as
-- text. What has been done stands in crossfade.worker, what is left in
-- crossfade.chunk, so that workers do not wait for each other here.
create table crossfade.progress (
    transition_id bigint not null references crossfade.transition,
    -- backfill (source to target), refill (target to source), verify, repair, watch
    job           text not null,
    -- of a partitioned table: the leaf that was handed out last
    part          text not null default '',
    -- the greatest key when the scan, or that of the leaf, began
    upper         text[],
    estimate      bigint not null default 0,
    epoch         int not null,
    -- the server's identity and timeline: a failover changes it
    server        text not null default '',
    started_at    timestamptz not null default clock_timestamp(),
    finished_at   timestamptz,
    -- what was expected at the start, and what it was at the end: the WAL of the
    -- whole server and the growth of the table with its indexes
    forecast      jsonb not null default '{}',
    start_lsn     pg_lsn,
    start_bytes   bigint,
    wal_bytes     bigint not null default 0,
    growth_bytes  bigint not null default 0,
    -- written about once a second: why the scan stands still ('' when it does
    -- not), and what each throttle signal reads
    waiting       text not null default '',
    signals       jsonb not null default '[]',
    noted_at      timestamptz,
    primary key (transition_id, job)
);

-- Who works or has worked at a scan, and what he has done. A batch writes it in
-- its own transaction.
create table crossfade.worker (
    id            bigint generated always as identity primary key,
    transition_id bigint not null,
    job           text not null,
    name          text not null,
    pid           int not null,
    rows_scanned  bigint not null default 0,
    rows_changed  bigint not null default 0,
    -- of verify: how many rows differ, and the keys of the first of them
    mismatches    bigint not null default 0,
    samples       jsonb not null default '[]',
    -- where the last batch ended, and when
    part          text not null default '',
    position      text[],
    batch_at      timestamptz,
    joined_at     timestamptz not null default clock_timestamp(),
    left_at       timestamptz,
    foreign key (transition_id, job) references crossfade.progress on delete cascade
);
create index worker_job_idx on crossfade.worker (transition_id, job);

-- What is left of a scan: ranges of keys, each begun at its position. A batch
-- locks its chunk, and moves the position, in its own transaction; no claim
-- outlives a transaction, worker only says whose turn it is.
create table crossfade.chunk (
    id            bigint generated always as identity primary key,
    transition_id bigint not null,
    job           text not null,
    part          text not null default '',
    position      text[],
    upper         text[] not null,
    -- rows left, as the planner thinks
    estimate      bigint not null default 0,
    -- its rows were locked: it is left for the end
    aside         boolean not null default false,
    worker        bigint,
    touched_at    timestamptz,
    foreign key (transition_id, job) references crossfade.progress on delete cascade
);
create index chunk_job_idx on crossfade.chunk (transition_id, job);

-- What was found about the plans of an application's statements, each time that
-- somebody recorded it.
create table crossfade.plans (
    id            bigint generated always as identity primary key,
    transition_id bigint not null references crossfade.transition,
    at            timestamptz not null default clock_timestamp(),
    epoch         int not null,
    actor         text not null,
    statements    int not null,
    refused       int not null,
    worse         int not null,
    listed        jsonb not null default '[]'
);
create index plans_transition_idx on crossfade.plans (transition_id, id);

-- What somebody asks of the scans of a transition while they run. No row: nothing.
create table crossfade.control (
    transition_id bigint primary key references crossfade.transition,
    paused        boolean not null default false,
    -- rows per second; null is as fast as the throttle lets it be
    rate          int check (rate > 0),
    actor         text not null,
    changed_at    timestamptz not null default clock_timestamp()
);

-- What a feature flag, or whoever else may ask, wants a transition to be led to. The
-- phase in force stands in transition. No row: nobody has asked.
create table crossfade.request (
    transition_id bigint primary key references crossfade.transition,
    -- '' as long as nothing was asked that could be granted
    phase         text not null default '',
    -- how many of 100 connections are to read the targets in phase live; null where the
    -- request leaves that alone. It is set once. Once a request has brought one, live
    -- alone means all of them
    ramp          int check (ramp between 0 and 100),
    ramp_set      boolean not null default false,
    ramp_brought  boolean not null default false,
    flag          text not null default '',
    variant       text not null default '',
    reason        text not null default '',
    provider      text not null default '',
    actor         text not null,
    requested_at  timestamptz not null default clock_timestamp(),
    -- the furthest phase asked for since a request was last granted: what no request
    -- has brought, none takes back
    furthest      text not null default '',
    granted_at    timestamptz,
    -- what the request waits for: a name and a sentence
    held_by       text not null default '',
    held          text not null default ''
);

-- Transitions whose writers without the hook are followed in the log: what the one
-- who does it says of himself, and what he has found.
create table crossfade.tail (
    transition_id bigint primary key references crossfade.transition,
    -- '' when it is not followed any more
    slot          text not null,
    -- rows that had one side only when they were looked at, after the backfill, and
    -- the last of them: {"key", "xid", "at"}
    repaired      bigint not null default 0,
    repaired_at   timestamptz,
    recent        jsonb not null default '[]',
    -- the marker behind the last writer without the hook: everything before it has
    -- been applied
    barrier_lsn   pg_lsn,
    barrier_at    timestamptz,
    -- written about once a second by the active one
    actor         text not null default '',
    lag_bytes     bigint not null default 0,
    lag_seconds   double precision not null default 0,
    noted_at      timestamptz
);

-- How far the log has been applied, one row for each slot: package logical's table.
create table crossfade.position (
    slot       text primary key,
    lsn        pg_lsn not null,
    system     text not null,
    timeline   int not null,
    published  oid[] not null,
    claim      bigint not null,
    updated_at timestamptz not null default now()
);

-- Who wrote the sources of a transition alone, as its trigger noted it, or who held
-- a lock on the table without the hook when the tail looked: at most one
-- row in ten minutes for each session, so that no writer waits for another.
create table crossfade.writer (
    id            bigint generated always as identity primary key,
    transition_id bigint not null,
    at            timestamptz not null default clock_timestamp(),
    role          text not null,
    application   text not null,
    -- the address, "local" for a unix socket
    client        text not null,
    pid           int not null
);
create index writer_transition_idx on crossfade.writer (transition_id, at);

-- The role that writes has no rights on the table.
create function crossfade.report_writer(transition bigint) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
    insert into crossfade.writer (transition_id, role, application, client, pid)
    values (transition, session_user, current_setting('application_name'),
        coalesce(host(inet_client_addr()), 'local'), pg_backend_pid())
$$;

-- What the hooks of each instance have counted since the phase began in that epoch:
-- reads of which a sample was run both ways, and statements of connections that read
-- one side. One row for each instance, transition and epoch, written every few seconds.
create table crossfade.reads (
    transition_id     bigint not null references crossfade.transition,
    instance          text not null,
    epoch             int not null,
    compared          bigint not null default 0,
    mismatched        bigint not null default 0,
    skipped           jsonb not null default '{}',
    dropped           bigint not null default 0,
    -- of the comparisons: where only one side failed, and how long the others took; in
    -- how many one side took noticeably longer, or longer than it may
    source_failed     bigint not null default 0,
    target_failed     bigint not null default 0,
    timed             bigint not null default 0,
    source_seconds    double precision not null default 0,
    target_seconds    double precision not null default 0,
    source_slower     bigint not null default 0,
    target_slower     bigint not null default 0,
    target_timeouts   bigint not null default 0,
    -- of the application: rewritten statements by the side that their connection reads
    source_statements bigint not null default 0,
    source_errors     bigint not null default 0,
    target_statements bigint not null default 0,
    target_errors     bigint not null default 0,
    reported_at       timestamptz not null default clock_timestamp(),
    primary key (transition_id, instance, epoch)
);

-- Statements whose two readings differed, at most 100 of a transition.
create table crossfade.mismatch (
    transition_id bigint not null references crossfade.transition,
    fingerprint   text not null,
    -- without constants, unless an application's Config lets them be kept
    statement     text not null,
    parameters    text[],
    -- rows, order, columns, timeout or error, with the SQLSTATE of one; the last one seen
    kind          text not null,
    code          text not null default '',
    detail        text not null default '',
    phase         text not null,
    epoch         int not null,
    instance      text not null,
    count         bigint not null,
    first_at      timestamptz not null default clock_timestamp(),
    last_at       timestamptz not null default clock_timestamp(),
    primary key (transition_id, fingerprint)
);

-- What a hook reports, as JSON: counters since it began, and mismatches since its
-- last report. The role that reports has no rights on the tables. What it says is
-- bounded, whoever calls it; instances that are not heard of any more are forgotten.
create function crossfade.report_reads_v1(report jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    t record;
    zero constant jsonb := '{"compared": 0, "mismatched": 0, "skipped": {}, "dropped": 0, "source_failed": 0, "target_failed": 0,
        "timed": 0, "source_seconds": 0, "target_seconds": 0,
        "source_slower": 0, "target_slower": 0, "target_timeouts": 0, "source_statements": 0, "source_errors": 0,
        "target_statements": 0, "target_errors": 0}';
begin
    for t in
        select r.*
        from jsonb_to_recordset(report -> 'transitions') as r(id bigint, epoch int, reads jsonb, mismatches jsonb)
        join crossfade.transition x on x.id = r.id and x.removed_at is null
        order by r.id
    loop
        delete from crossfade.reads where transition_id = t.id and reported_at < clock_timestamp() - interval '1 day';
        insert into crossfade.reads as old
        select (jsonb_populate_record(null::crossfade.reads, zero || jsonb_strip_nulls(t.reads) || jsonb_build_object(
            'transition_id', t.id, 'epoch', t.epoch, 'instance', left(report ->> 'instance', 200), 'reported_at', clock_timestamp()))).*
        where (select count(*) from crossfade.reads where transition_id = t.id) < 5000
        on conflict (transition_id, instance, epoch) do update set
            compared = excluded.compared, mismatched = excluded.mismatched, skipped = excluded.skipped, dropped = excluded.dropped,
            source_failed = excluded.source_failed, target_failed = excluded.target_failed, timed = excluded.timed,
            source_seconds = excluded.source_seconds, target_seconds = excluded.target_seconds,
            source_slower = excluded.source_slower, target_slower = excluded.target_slower, target_timeouts = excluded.target_timeouts,
            source_statements = excluded.source_statements, source_errors = excluded.source_errors,
            target_statements = excluded.target_statements, target_errors = excluded.target_errors,
            reported_at = excluded.reported_at;
        insert into crossfade.mismatch as old (transition_id, fingerprint, statement, parameters, kind, code, detail, phase, epoch, instance, count)
        select t.id, left(m.fingerprint, 64), left(m.statement, 4000), m.parameters, left(m.kind, 20), coalesce(left(m.code, 5), ''),
            coalesce(left(m.detail, 1000), ''), left(m.phase, 20), t.epoch, left(report ->> 'instance', 200), m.count
        from jsonb_to_recordset(t.mismatches)
            as m(fingerprint text, statement text, parameters text[], kind text, code text, detail text, phase text, count bigint)
        where exists (select from crossfade.mismatch k where k.transition_id = t.id and k.fingerprint = m.fingerprint)
            or (select count(*) from crossfade.mismatch k where k.transition_id = t.id) < 100
        order by m.fingerprint
        limit 100
        on conflict (transition_id, fingerprint) do update set
            statement = excluded.statement, parameters = excluded.parameters, kind = excluded.kind, code = excluded.code,
            detail = excluded.detail, phase = excluded.phase, epoch = excluded.epoch, instance = excluded.instance,
            count = old.count + excluded.count, last_at = clock_timestamp();
    end loop;
end $$;

-- Statements that hooks have refused, at most 100 of a transition: those refused last,
-- for a day.
create table crossfade.refused (
    transition_id bigint not null references crossfade.transition,
    fingerprint   text not null,
    -- without constants; '' where it is not known what of it is one
    statement     text not null,
    -- as the application was told
    message       text not null,
    hint          text not null,
    -- of the last one that was refused
    phase         text not null,
    epoch         int not null,
    application   text not null,
    instance      text not null,
    count         bigint not null,
    first_at      timestamptz not null default clock_timestamp(),
    last_at       timestamptz not null default clock_timestamp(),
    primary key (transition_id, fingerprint)
);

-- What a hook reports of them, as JSON: those since its last report. As above, the
-- role has no rights on the table, and what it says is bounded. Instances that report
-- at once wait for each other in one order only.
create function crossfade.report_refused_v1(report jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into crossfade.refused as old (transition_id, fingerprint, statement, message, hint, phase, epoch, application, instance, count)
    select distinct on (x.id, left(r.fingerprint, 64))
        x.id, left(r.fingerprint, 64), left(r.statement, 4000), left(r.message, 1000), left(r.hint, 1000), left(r.phase, 20), r.epoch,
        left(r.application, 200), left(report ->> 'instance', 200), least(greatest(r.count, 1), 1000000000)
    from jsonb_to_recordset(jsonb_path_query_array(report, '$.refused[0 to 99]')) as r(transition bigint, fingerprint text, statement text,
        message text, hint text, phase text, epoch int, application text, count bigint)
    join crossfade.transition x on x.id = r.transition and x.removed_at is null
    order by x.id, left(r.fingerprint, 64)
    on conflict (transition_id, fingerprint) do update set
        statement = excluded.statement, message = excluded.message, hint = excluded.hint, phase = excluded.phase, epoch = excluded.epoch,
        application = excluded.application, instance = excluded.instance, last_at = clock_timestamp(),
        count = excluded.count + case when old.last_at > clock_timestamp() - interval '1 day' then old.count else 0 end,
        first_at = case when old.last_at > clock_timestamp() - interval '1 day' then old.first_at else excluded.first_at end;
    delete from crossfade.refused where (transition_id, fingerprint) in (
        select r.transition_id, r.fingerprint
        from crossfade.refused r
        where (r.transition_id, r.fingerprint) in (
            select k.transition_id, k.fingerprint
            from (select *, row_number() over (partition by transition_id order by last_at desc, fingerprint) as place
                from crossfade.refused) k
            where k.place > 100 or k.last_at < clock_timestamp() - interval '1 day')
        for update skip locked);
end $$;

-- What a joining connection reads. The name carries the version of the hook's
-- protocol; a later schema keeps this view for the applications still on it.
create view crossfade.join_v1 as
select e.epoch,
       coalesce((
           select jsonb_agg(jsonb_build_object(
                      'id', t.id, 'name', t.name, 'schema', t.table_schema, 'table', t.table_name,
                      'phase', t.phase, 'token', t.token, 'definition', t.definition - 'dependents') order by t.id)
           from crossfade.transition t
           where t.removed_at is null and t.token <> ''), '[]'::jsonb) as transitions,
       -- how long to wait before joining; null in general
       (select ceil(1000 * extract(epoch from max(t.hold_until) - clock_timestamp()))::int
           from crossfade.transition t
           where t.hold_until > clock_timestamp()) as held_ms,
       -- of transitions in phase live, by id; null when all of them read the target
       (select jsonb_object_agg(t.id, t.ramp) from crossfade.transition t
           where t.removed_at is null and t.phase = 'live' and t.ramp < 100) as ramps
from crossfade.epoch e;
