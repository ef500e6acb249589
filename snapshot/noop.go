package snapshot

import (
	rbacconfigv3 "github.com/envoyproxy/go-control-plane/envoy/config/rbac/v3"
	rbacv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	setmetadatav3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/set_metadata/v3"
	"google.golang.org/protobuf/types/known/structpb"
)

const (
	stampName      = "graft.revision" // of the stamp in a chain
	stampNamespace = "graft"          // of the metadata: %DYNAMIC_METADATA(graft:rev)%
	stampKey       = "rev"
)

// denyFilter answers every request with 403: it stands in the place of a filter that must not be missing.
func denyFilter() *rbacv3.RBAC {
	return &rbacv3.RBAC{Rules: &rbacconfigv3.RBAC{Action: rbacconfigv3.RBAC_ALLOW}}
}

// idleFilter does nothing: it fills an unused declared slot. An attempt makes its bytes unique.
func idleFilter(attempt string) *setmetadatav3.Config {
	if attempt == "" {
		return &setmetadatav3.Config{}
	}
	return metadataFilter("attempt", attempt)
}

// stampFilter goes ahead of every chain: it makes the bytes unique, so that Envoy's verdict on them is honest, and tells
// access logs which revision served a request.
func stampFilter(version string) *setmetadatav3.Config { return metadataFilter(stampKey, version) }

func metadataFilter(key, value string) *setmetadatav3.Config {
	return &setmetadatav3.Config{Metadata: []*setmetadatav3.Metadata{{
		MetadataNamespace: stampNamespace,
		Value:             &structpb.Struct{Fields: map[string]*structpb.Value{key: structpb.NewStringValue(value)}},
		AllowOverwrite:    true,
	}}}
}
