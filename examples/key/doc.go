// Key takes orders.id from int to bigint, with its identity and the foreign key
// of the order lines, while orders are placed under its old name and its new one:
//
//	go run ./examples/key
//
// It goes to complete, back to off, and forward to the end, and then takes a
// number that no int can hold. It fails unless no order or line was lost, and no
// number handed out twice. shop.go is the application, main.go drives the
// migration.
package main
