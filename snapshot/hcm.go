package snapshot

import (
	"time"

	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	filev3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/file/v3"
	filterchainv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/filter_chain/v3"
	rbacv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
)

// The limits of connection managers and clusters, all of Envoy's edge document ("Configuring Envoy as an edge proxy").
const (
	idleTimeout       = time.Hour       // a connection without a request
	streamIdleTimeout = 5 * time.Minute // a request or an answer that does not move
	requestTimeout    = 5 * time.Minute // until the whole request is there, or the answer begins
	handshakeTimeout  = 15 * time.Second

	http2Streams          = 100
	http2StreamWindow     = 64 << 10
	http2ConnectionWindow = 1 << 20
)

// slotTimeout is how long a listener waits for a slot before its default serves: Envoy's own default, written down.
const slotTimeout = 15 * time.Second

// hcmSlot is one slot of a connection manager.
type hcmSlot struct {
	Name     string // of the ECDS resource, and of the HTTP filter
	Declared bool   // one bare filter of declaredTypes; else a whole chain
}

func connectionManager(l *graftv1alpha1.Listener, slots []hcmSlot) *hcmv3.HttpConnectionManager {
	manager := &hcmv3.HttpConnectionManager{
		StatPrefix: l.GetName(),
		RouteSpecifier: &hcmv3.HttpConnectionManager_Rds{Rds: &hcmv3.Rds{
			ConfigSource:    adsSource(),
			RouteConfigName: l.GetName(),
		}},
		UseRemoteAddress:             wrapperspb.Bool(true),
		XffNumTrustedHops:            l.GetTrustedHops(),
		NormalizePath:                wrapperspb.Bool(true),
		MergeSlashes:                 true,
		PathWithEscapedSlashesAction: hcmv3.HttpConnectionManager_UNESCAPE_AND_REDIRECT,
		CommonHttpProtocolOptions: &corev3.HttpProtocolOptions{
			IdleTimeout:                  durationpb.New(idleTimeout),
			HeadersWithUnderscoresAction: corev3.HttpProtocolOptions_REJECT_REQUEST,
		},
		Http2ProtocolOptions: &corev3.Http2ProtocolOptions{
			MaxConcurrentStreams:        wrapperspb.UInt32(http2Streams),
			InitialStreamWindowSize:     wrapperspb.UInt32(http2StreamWindow),
			InitialConnectionWindowSize: wrapperspb.UInt32(http2ConnectionWindow),
		},
		StreamIdleTimeout: durationpb.New(streamIdleTimeout),
		RequestTimeout:    durationpb.New(requestTimeout),
		AccessLog:         accessLog(l.GetAccessLog()),
	}
	for _, slot := range slots {
		manager.HttpFilters = append(manager.HttpFilters, slotFilter(slot, l.GetOnMissing()))
	}
	manager.HttpFilters = append(manager.HttpFilters, &hcmv3.HttpFilter{
		Name:       "envoy.filters.http.router",
		ConfigType: &hcmv3.HttpFilter_TypedConfig{TypedConfig: anyOf(&routerv3.Router{})},
	})
	return manager
}

// slotFilter is the place of a slot among the HTTP filters. Its default serves while the slot has nothing, after a
// refused first configuration for example; it is part of the listener and never follows the filters. The listener does
// not open before the slot is filled, refused, or slotTimeout is over.
func slotFilter(slot hcmSlot, onMissing string) *hcmv3.HttpFilter {
	source := adsSource()
	source.InitialFetchTimeout = durationpb.New(slotTimeout)
	discovery := &corev3.ExtensionConfigSource{ConfigSource: source}
	if slot.Declared {
		discovery.TypeUrls = make([]string, 0, len(declaredTypes()))
		for _, name := range declaredTypes() {
			discovery.TypeUrls = append(discovery.TypeUrls, typePrefix+name)
		}
		discovery.DefaultConfig = missingFilter(onMissing)
	} else {
		discovery.TypeUrls = []string{typeURL(&filterchainv3.FilterChainConfig{})}
		discovery.DefaultConfig = missingChain(onMissing)
	}
	return &hcmv3.HttpFilter{Name: slot.Name, ConfigType: &hcmv3.HttpFilter_ConfigDiscovery{ConfigDiscovery: discovery}}
}

// missingFilter stands in a declared slot that has nothing. One slot that denies is enough for 403, and every slot does
// until it is filled.
func missingFilter(onMissing string) *anypb.Any {
	if onMissing == "pass" {
		return anyOf(&rbacv3.RBAC{}) // without rules it lets everything by
	}
	return anyOf(denyFilter())
}

func missingChain(onMissing string) *anypb.Any {
	chain := &filterchainv3.FilterChainConfig{} // without filters it lets everything by
	if onMissing != "pass" {
		chain.DefaultFilterChain = &filterchainv3.FilterChain{Filters: []*corev3.TypedExtensionConfig{
			{Name: "graft.missing", TypedConfig: anyOf(denyFilter())},
		}}
	}
	return anyOf(chain)
}

// logFormat is Envoy's default format, and at the end the revision of the chain that served the request.
const logFormat = `[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% ` +
	`%BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" ` +
	`"%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %RESPONSE_CODE_DETAILS% %DYNAMIC_METADATA(graft:rev)%` + "\n"

func accessLog(path string) []*accesslogv3.AccessLog {
	if path == "" {
		return nil
	}
	return []*accesslogv3.AccessLog{{
		Name: "envoy.access_loggers.file",
		ConfigType: &accesslogv3.AccessLog_TypedConfig{TypedConfig: anyOf(&filev3.FileAccessLog{
			Path: path,
			AccessLogFormat: &filev3.FileAccessLog_LogFormat{LogFormat: &corev3.SubstitutionFormatString{
				Format: &corev3.SubstitutionFormatString_TextFormatSource{TextFormatSource: &corev3.DataSource{
					Specifier: &corev3.DataSource_InlineString{InlineString: logFormat},
				}},
			}},
		})},
	}}
}
