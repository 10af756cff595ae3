package compat

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync/atomic"
)

// customer uses a shop, knows what must be in it, and looks.
type customer struct {
	shop shop
	name string
	// kept are the users whose rows stay, as they must be.
	kept []User
	// bought are the orders of kept users, by their ids.
	bought map[int64][]int32
	turns  atomic.Int64
}

func newCustomer(s shop, name string) *customer {
	return &customer{shop: s, name: name, bought: map[int64][]int32{}}
}

// use takes turns until ctx ends.
func (c *customer) use(ctx context.Context) error {
	for turn := 0; ctx.Err() == nil; turn++ {
		// A turn is not interrupted: the shop must say what has become of it.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		err := c.turn(ctx, turn)
		cancel()
		if err != nil {
			return fmt.Errorf("%s, turn %d: %w", c.name, turn, err)
		}
		c.turns.Add(1)
	}
	return nil
}

// turn does everything once.
func (c *customer) turn(ctx context.Context, turn int) error {
	u := User{FullName: fmt.Sprintf("%s %d O'Neill ✓", c.name, turn), Email: fmt.Sprintf("%s%d@example.com", c.name, turn)}
	var err error
	if u.ID, err = c.shop.Create(ctx, u.FullName, u.Email); err != nil {
		return fmt.Errorf("create: %w", err)
	}
	if err := c.look(ctx, u); err != nil {
		return fmt.Errorf("after create: %w", err)
	}
	before := u.FullName
	u.FullName += " renamed"
	if err := c.shop.Rename(ctx, u.ID, u.FullName); err != nil {
		return fmt.Errorf("rename: %w", err)
	}
	if err := c.look(ctx, u, before); err != nil {
		return fmt.Errorf("after rename: %w", err)
	}
	before, u.FullName = u.FullName, u.FullName+" imported"
	if err := c.shop.Import(ctx, u.FullName, u.Email); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	if err := c.look(ctx, u, before); err != nil {
		return fmt.Errorf("after import: %w", err)
	}
	for _, cents := range []int32{int32(turn) + 1, 1_500_000_000, 1_500_000_001} { // together more than an int
		if err := c.shop.Buy(ctx, u.ID, cents); err != nil {
			return fmt.Errorf("buy: %w", err)
		}
		u.Visits++
		c.bought[u.ID] = append(c.bought[u.ID], cents)
	}
	if err := c.look(ctx, u); err != nil {
		return fmt.Errorf("after buy: %w", err)
	}
	if turn%3 == 2 { // every third one leaves
		delete(c.bought, u.ID)
		if err := c.shop.Delete(ctx, u.ID); err != nil {
			return fmt.Errorf("delete: %w", err)
		}
		if _, err := c.shop.User(ctx, u.ID); err == nil {
			return fmt.Errorf("user %d is there after delete", u.ID)
		}
		return c.gone(ctx, u.FullName)
	}
	// New users come in by an import, too.
	guest := User{FullName: fmt.Sprintf("%s %d guest", c.name, turn), Email: fmt.Sprintf("%s%d@guests.example.com", c.name, turn)}
	if err := c.shop.Import(ctx, guest.FullName, guest.Email); err != nil {
		return fmt.Errorf("import a new user: %w", err)
	}
	found, err := c.shop.Named(ctx, u.FullName, guest.FullName)
	if err != nil {
		return fmt.Errorf("list both: %w", err)
	}
	if len(found) == 2 {
		guest.ID = found[1].ID
	}
	c.kept = append(c.kept, u, guest)
	if err := same(found, sorted(u, guest)); err != nil {
		return fmt.Errorf("list both: %w", err)
	}
	// An old acquaintance, written in another phase perhaps.
	return c.look(ctx, c.kept[turn*7%len(c.kept)])
}

// look reads the user in every way. Nobody has one of the former names.
func (c *customer) look(ctx context.Context, u User, former ...string) error {
	got, err := c.shop.User(ctx, u.ID)
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	if err := same(got, u); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	found, err := c.shop.Named(ctx, u.FullName, "nobody")
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	if err := same(found, []User{u}); err != nil {
		return fmt.Errorf("list: %w", err)
	}
	n, err := c.shop.Count(ctx, u.FullName)
	if err != nil {
		return fmt.Errorf("count: %w", err)
	}
	if n != 1 {
		return fmt.Errorf("count: %d users are called %q", n, u.FullName)
	}
	bills, err := c.shop.Spent(ctx, u.FullName)
	if err != nil {
		return fmt.Errorf("join: %w", err)
	}
	if err := same(bills, c.bills(u)); err != nil {
		return fmt.Errorf("join: %w", err)
	}
	for _, name := range former {
		if err := c.gone(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (c *customer) gone(ctx context.Context, name string) error {
	n, err := c.shop.Count(ctx, name)
	if err != nil {
		return fmt.Errorf("count: %w", err)
	}
	if n != 0 {
		return fmt.Errorf("somebody is called %q still", name)
	}
	return nil
}

func (c *customer) bills(u User) []Bill {
	bought := c.bought[u.ID]
	if len(bought) == 0 {
		return nil
	}
	b := Bill{FullName: u.FullName, Orders: int64(len(bought)), Dearest: slices.Max(bought)}
	for _, cents := range bought {
		b.Cents += int64(cents)
	}
	return []Bill{b}
}

// sorted are the users in the order of their names, by bytes.
func sorted(users ...User) []User {
	slices.SortFunc(users, func(a, b User) int {
		if a.FullName < b.FullName {
			return -1
		}
		return 1
	})
	return users
}

func same[T any](got, want T) error {
	if v := reflect.ValueOf(got); v.Kind() == reflect.Slice && v.Len() == 0 && reflect.ValueOf(want).Len() == 0 {
		return nil
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("got %+v, want %+v", got, want)
	}
	return nil
}
