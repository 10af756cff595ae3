-- +goose Up
alter table users add column plan text;

-- +goose Down
alter table users drop column plan;
