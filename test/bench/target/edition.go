package target

import (
	"hash/crc32"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/graft-xds/graft/snapshot"
)

const extensionType = snapshot.ExtensionType

// edition is one state of all slots, the same for every server under test.
type edition struct {
	documents []snapshot.Document
	modules   map[snapshot.Ref]snapshot.Outcome
	bodies    []body // one for each slot, in its order
}

// body is what one ECDS resource says.
type body struct {
	name     string
	revision string // graft's version of it
	config   []byte // the marshalled TypedExtensionConfig
	size     int64  // bytes of the Any around it
	sum      uint32 // CRC-32C of the Any
}

func newBody(name, revision string, config []byte) body {
	head := protowire.AppendTag(nil, 1, protowire.BytesType)
	head = protowire.AppendString(head, extensionType)
	head = protowire.AppendTag(head, 2, protowire.BytesType)
	head = protowire.AppendVarint(head, uint64(len(config)))
	table := crc32.MakeTable(crc32.Castagnoli)
	return body{
		name: name, revision: revision, config: config,
		size: int64(len(head) + len(config)),
		sum:  crc32.Update(crc32.Checksum(head, table), table, config),
	}
}

// since gives the bodies that are not in old.
func (e *edition) since(old []body) []body {
	was := map[string]uint32{}
	for _, b := range old {
		was[b.name] = b.sum
	}
	var changed []body
	for _, b := range e.bodies {
		if was[b.name] != b.sum {
			changed = append(changed, b)
		}
	}
	return changed
}
