package kvsio

import "testing"

func TestPageSizes(t *testing.T) {
	var p pageSizes
	page := func(limit int) (asked int) {
		asked = p.most()
		p.learn(asked, min(asked, limit), true)
		return asked
	}
	for range 10 {
		if asked := page(100); asked != 25 {
			t.Fatalf("asked for %d, where 25 come", asked)
		}
	}
	p.learn(25, 24, true) // an entry was left out
	p.learn(25, 0, true)  // an empty page
	p.learn(25, 3, false) // the end of a range
	if p.most() != 25 {
		t.Fatal("one short page is an accident")
	}
	paid := 0
	for range 100 {
		paid += page(10)
	}
	if paid > 1100 {
		t.Errorf("paid for %d images, where 1000 came", paid)
	}
	for range 2 * tryLonger {
		page(25)
	}
	if asked := page(25); asked != 25 {
		t.Errorf("asked for %d after pages had grown to 25", asked)
	}
}
