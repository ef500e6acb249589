package xds

import (
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto" // also registers the codec that everything else goes through
	"google.golang.org/grpc/mem"
)

// frame is a discovery response that is encoded already: parts are shared by all streams that send the same, only the
// nonce is a stream's own. The order of fields in a protobuf message is free, so the nonce comes last.
type frame struct {
	parts  mem.BufferSlice
	nonce  string
	flight *flight // what is in it, for the session that sends it
}

// nonceField is the tag of the nonce, in DiscoveryResponse and DeltaDiscoveryResponse alike: field 5, length-delimited.
const nonceField = 5

func (f *frame) suffix() mem.SliceBuffer { return appendText(nil, nonceField, f.nonce) }

// size is the number of bytes of the message.
func (f *frame) size() int { return f.parts.Len() + len(f.suffix()) }

// sharingCodec sends frames without copying what is in them. All other messages go to the usual codec.
type sharingCodec struct{ encoding.CodecV2 }

func newCodec() sharingCodec { return sharingCodec{encoding.GetCodecV2(proto.Name)} }

// Marshal implements encoding.CodecV2. The buffers are never freed by it: the garbage collector owns them.
func (c sharingCodec) Marshal(v any) (mem.BufferSlice, error) {
	f, ok := v.(*frame)
	if !ok {
		return c.CodecV2.Marshal(v)
	}
	out := make(mem.BufferSlice, 0, len(f.parts)+1)
	return append(append(out, f.parts...), f.suffix()), nil
}
