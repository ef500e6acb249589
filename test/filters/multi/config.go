package main

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// config is the plugin configuration.
type config struct {
	Request    side   `json:"request"`    // what happens to requests
	Response   side   `json:"response"`   // what happens to responses
	Count      string `json:"count"`      // count the bytes of bodies in stats with this prefix: <count>.request.bytes, …
	TrapHeader string `json:"trapHeader"` // a request with this header makes the module trap
	Fail       bool   `json:"fail"`       // refuse this configuration
}

// side is one direction.
type side struct {
	Headers  map[string]string `json:"headers"`  // added
	Callout  string            `json:"callout"`  // a cluster that is called while the stream is paused
	Reply    int               `json:"reply"`    // answer with this status instead; after the callout, if there is one
	Wrap     string            `json:"wrap"`     // buffer the body and make it "<wrap>(<body>)"
	Upper    bool              `json:"upper"`    // make each piece of the body upper case as it passes
	Trailers map[string]string `json:"trailers"` // set, where there are trailers
}

func parse(text []byte) (config, error) {
	var c config
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&c); err != nil {
		return config{}, fmt.Errorf("%w: %s", err, text)
	}
	return c, nil
}
