-- +goose NO TRANSACTION
-- +goose Up
create unique index concurrently users_email_key on users (email);

-- +goose Down
drop index concurrently users_email_key;
