package envoytest

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

func number(query url.Values, name string, otherwise int) int {
	n, err := strconv.Atoi(query.Get(name))
	if err != nil || n < 0 {
		return otherwise
	}
	return n
}

func duration(query url.Values, name string) time.Duration {
	d, _ := time.ParseDuration(query.Get(name)) // absent or wrong: none
	return d
}

func keyValue(pair string) (key, value string) {
	key, value, _ = strings.Cut(pair, ":")
	return key, value
}
