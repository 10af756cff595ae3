// Written by hand as sqlc v1.31.1 generates it from sqlc.schema.sql.

package sqlcpgx

type Order struct {
	ID     int64
	UserID int64
	Cents  int32
}

type User struct {
	ID       int64
	FullName string
	Email    string
	Visits   int32
}
