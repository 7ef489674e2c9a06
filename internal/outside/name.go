package outside

import "strconv"

// Name returns a file's name as people may see it: in quotes where it has what they would
// not see.
func Name(name string) string {
	if quoted := strconv.Quote(name); len(quoted) != len(name)+len(`""`) {
		return quoted
	}
	return name
}
