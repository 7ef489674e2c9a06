package pace

import "testing"

func TestPageSizes(t *testing.T) {
	var p PageSizes
	page := func(limit int) (asked int) {
		asked = p.Most()
		p.Learn(asked, min(asked, limit), true)
		return asked
	}
	for range 10 {
		if asked := page(100); asked != 25 {
			t.Fatalf("asked for %d, where 25 come", asked)
		}
	}
	p.Learn(25, 24, true) // an entry was left out
	p.Learn(25, 0, true)  // an empty page
	p.Learn(25, 3, false) // the end of a range
	if p.Most() != 25 {
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
