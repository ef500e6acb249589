package xds

import (
	clusterservice "github.com/envoyproxy/go-control-plane/envoy/service/cluster/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	endpointservice "github.com/envoyproxy/go-control-plane/envoy/service/endpoint/v3"
	extensionservice "github.com/envoyproxy/go-control-plane/envoy/service/extension/v3"
	listenerservice "github.com/envoyproxy/go-control-plane/envoy/service/listener/v3"
	routeservice "github.com/envoyproxy/go-control-plane/envoy/service/route/v3"
	secretservice "github.com/envoyproxy/go-control-plane/envoy/service/secret/v3"

	"github.com/graft-xds/graft/snapshot"
)

// register offers the aggregated service and one for each type, so that an Envoy may take only some types from graft.
// Fetching by polling is not offered.
func (s *Server) register() {
	discoveryv3.RegisterAggregatedDiscoveryServiceServer(s.grpc, aggregated{server: s})
	listenerservice.RegisterListenerDiscoveryServiceServer(s.grpc, listeners{server: s})
	routeservice.RegisterRouteDiscoveryServiceServer(s.grpc, routes{server: s})
	clusterservice.RegisterClusterDiscoveryServiceServer(s.grpc, clusters{server: s})
	endpointservice.RegisterEndpointDiscoveryServiceServer(s.grpc, endpoints{server: s})
	secretservice.RegisterSecretDiscoveryServiceServer(s.grpc, secrets{server: s})
	extensionservice.RegisterExtensionConfigDiscoveryServiceServer(s.grpc, extensions{server: s})
}

type aggregated struct {
	discoveryv3.UnimplementedAggregatedDiscoveryServiceServer
	server *Server
}

func (a aggregated) StreamAggregatedResources(stream discoveryv3.AggregatedDiscoveryService_StreamAggregatedResourcesServer) error {
	return a.server.serve(stream, false, "")
}

func (a aggregated) DeltaAggregatedResources(stream discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesServer) error {
	return a.server.serve(stream, true, "")
}

type listeners struct {
	listenerservice.UnimplementedListenerDiscoveryServiceServer
	server *Server
}

func (l listeners) StreamListeners(stream listenerservice.ListenerDiscoveryService_StreamListenersServer) error {
	return l.server.serve(stream, false, snapshot.ListenerType)
}

func (l listeners) DeltaListeners(stream listenerservice.ListenerDiscoveryService_DeltaListenersServer) error {
	return l.server.serve(stream, true, snapshot.ListenerType)
}

type routes struct {
	routeservice.UnimplementedRouteDiscoveryServiceServer
	server *Server
}

func (r routes) StreamRoutes(stream routeservice.RouteDiscoveryService_StreamRoutesServer) error {
	return r.server.serve(stream, false, snapshot.RouteType)
}

func (r routes) DeltaRoutes(stream routeservice.RouteDiscoveryService_DeltaRoutesServer) error {
	return r.server.serve(stream, true, snapshot.RouteType)
}

type clusters struct {
	clusterservice.UnimplementedClusterDiscoveryServiceServer
	server *Server
}

func (c clusters) StreamClusters(stream clusterservice.ClusterDiscoveryService_StreamClustersServer) error {
	return c.server.serve(stream, false, snapshot.ClusterType)
}

func (c clusters) DeltaClusters(stream clusterservice.ClusterDiscoveryService_DeltaClustersServer) error {
	return c.server.serve(stream, true, snapshot.ClusterType)
}

type endpoints struct {
	endpointservice.UnimplementedEndpointDiscoveryServiceServer
	server *Server
}

func (e endpoints) StreamEndpoints(stream endpointservice.EndpointDiscoveryService_StreamEndpointsServer) error {
	return e.server.serve(stream, false, snapshot.EndpointType)
}

func (e endpoints) DeltaEndpoints(stream endpointservice.EndpointDiscoveryService_DeltaEndpointsServer) error {
	return e.server.serve(stream, true, snapshot.EndpointType)
}

type secrets struct {
	secretservice.UnimplementedSecretDiscoveryServiceServer
	server *Server
}

func (x secrets) StreamSecrets(stream secretservice.SecretDiscoveryService_StreamSecretsServer) error {
	return x.server.serve(stream, false, snapshot.SecretType)
}

func (x secrets) DeltaSecrets(stream secretservice.SecretDiscoveryService_DeltaSecretsServer) error {
	return x.server.serve(stream, true, snapshot.SecretType)
}

type extensions struct {
	extensionservice.UnimplementedExtensionConfigDiscoveryServiceServer
	server *Server
}

func (e extensions) StreamExtensionConfigs(stream extensionservice.ExtensionConfigDiscoveryService_StreamExtensionConfigsServer) error {
	return e.server.serve(stream, false, snapshot.ExtensionType)
}

func (e extensions) DeltaExtensionConfigs(stream extensionservice.ExtensionConfigDiscoveryService_DeltaExtensionConfigsServer) error {
	return e.server.serve(stream, true, snapshot.ExtensionType)
}
