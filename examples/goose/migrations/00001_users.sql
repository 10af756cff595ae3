-- +goose Up
create table users (
    id        bigint generated always as identity primary key,
    full_name text not null,
    email     text not null
);
insert into users (full_name, email) select 'user ' || n, n || '@example.com' from generate_series(1, 1000) n;

-- +goose Down
drop table users;
