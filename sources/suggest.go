package sources

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// nearest gives the name that was most likely meant, or "" if none is near: the same letters in another case or with
// other separators, or at most a third of the letters (but two letters are too few to tell) typed wrongly.
func nearest(written string, names []string) string {
	best, least := "", math.MaxInt
	for _, name := range names {
		if fold(name) == fold(written) {
			return name
		}
		limit := min(least, max(len([]rune(written)), len(name))/3+1)
		if d := distance(fold(written), fold(name), limit); d < limit {
			best, least = name, d
		}
	}
	if len([]rune(written)) < 3 {
		return ""
	}
	return best
}

// didYouMean is the hint for a name that is not known: the nearest, else all of them.
func didYouMean(written string, names []string) string {
	if name := nearest(written, names); name != "" {
		return fmt.Sprintf("did you mean %q?", name)
	}
	if len(names) == 0 {
		return ""
	}
	return "known: " + listed(names)
}

// listed joins names, the first twelve of them.
func listed(names []string) string {
	names = slices.DeleteFunc(slices.Clone(names), func(s string) bool { return s == "" })
	if len(names) > 12 {
		return strings.Join(names[:12], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

// fold takes away case and separators: onFailure, on_failure and on-failure are one name.
func fold(name string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(name))
}

// distance is the number of letters to insert, delete, replace or swap with the next (optimal string alignment), or
// limit if there are at least so many.
func distance(a, b string, limit int) int {
	x, y := []rune(a), []rune(b)
	if len(x)-len(y) >= limit || len(y)-len(x) >= limit {
		return limit
	}
	two, one, now := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range one {
		one[j] = j
	}
	for i := 1; i <= len(x); i++ {
		now[0] = i
		least := i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			now[j] = min(one[j]+1, now[j-1]+1, one[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				now[j] = min(now[j], two[j-2]+1)
			}
			least = min(least, now[j])
		}
		if least >= limit {
			return limit
		}
		two, one, now = one, now, two
	}
	return min(one[len(y)], limit)
}
