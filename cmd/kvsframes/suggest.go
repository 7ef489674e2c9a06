package main

import "strings"

// suggest returns the known word that is nearest to the one somebody mistyped,
// or "" if none is near. Case, "-" and "_" make no difference.
func suggest(word string, known []string) string {
	word = plain(word)
	best, least := "", max(2, len(word)/3)+1
	for _, k := range known {
		d := distance(word, plain(k))
		if len(word) >= 3 && strings.HasPrefix(plain(k), word) {
			d = min(d, 2) // cut short, as --start for --start-timestamp
		}
		if d < least {
			best, least = k, d
		}
	}
	return best
}

func plain(s string) string {
	return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(s))
}

// didYouMean is suggest as the end of a message.
func didYouMean(word, prefix string, known []string) string {
	if s := suggest(word, known); s != "" {
		return ": did you mean " + prefix + s + "?"
	}
	return ""
}

// distance is the Levenshtein distance of two words, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal, row[j+1] = row[j+1], min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
