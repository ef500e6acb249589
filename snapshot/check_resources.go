package snapshot

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
)

// resources checks whole resources and gives those that can be served.
func (c *checker) resources(written []*anypb.Any) []wholeResource {
	var out []wholeResource
	for i, packed := range written {
		field := fmt.Sprintf("spec.resources[%d]", i)
		r, err := readResource(packed)
		switch {
		case err != nil:
			c.refuse(CodeResource, field, "resources may be Listener, RouteConfiguration, Cluster, ClusterLoadAssignment and Secret, each with its @type", "%v", err)
			continue
		case r.name == "":
			c.refuse(CodeResource, field, "proxies ask for resources by name", "the %s has no name", r.kind)
			continue
		case r.kind == "cluster" && r.name == ModulesCluster:
			c.refuse(CodeClash, field, "give it another name", "the name %q is taken by the cluster that leads to graft's module server", r.name)
			continue
		}
		if err := validate(r.message); err != nil {
			c.refuse(CodeResource, field, "Envoy would refuse it", "%v", err)
		}
		r.field = field
		out = append(out, r)
	}
	return out
}

// validate checks a message, and every message that is packed into it at any depth, by the rules of the Envoy API.
func validate(m proto.Message) error {
	if rules, ok := m.(interface{ Validate() error }); ok {
		if err := rules.Validate(); err != nil {
			return errors.New(strings.TrimSuffix(err.Error(), "."))
		}
	}
	return eachMessage(m.ProtoReflect(), func(inner protoreflect.Message) error {
		packed, ok := inner.Interface().(*anypb.Any)
		if !ok || packed.GetTypeUrl() == "" {
			return nil
		}
		unpacked, err := packed.UnmarshalNew()
		if err != nil {
			return err
		}
		return validate(unpacked)
	})
}
