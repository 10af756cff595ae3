// Package schema is the shop's schema for ent.
package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
)

// User is a row of users.
type User struct{ ent.Schema }

// Fields of users.
func (User) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("id"),
		field.String("full_name"),
		field.String("email").Unique(),
		field.Int32("visits").Default(0),
	}
}

// Edges of users.
func (User) Edges() []ent.Edge {
	return []ent.Edge{edge.To("orders", Order.Type).Annotations(entsql.OnDelete(entsql.Cascade))}
}

// Order is a row of orders.
type Order struct{ ent.Schema }

// Fields of orders.
func (Order) Fields() []ent.Field {
	return []ent.Field{field.Int64("id"), field.Int64("user_id"), field.Int32("cents")}
}

// Edges of orders.
func (Order) Edges() []ent.Edge {
	return []ent.Edge{edge.From("user", User.Type).Ref("orders").Field("user_id").Unique().Required()}
}
