package fleet

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"google.golang.org/protobuf/encoding/protowire"
)

// response is what one DiscoveryResponse or DeltaDiscoveryResponse said, without the bodies of its resources.
type response struct {
	version   string // version_info, or system_version_info
	typeURL   string
	nonce     string
	resources []resource
	removed   []string
	size      int64 // bytes of the gRPC message
}

// resource is one resource of a response, without its body.
type resource struct {
	name    string
	version string // of this resource; only delta has one
	size    int64  // bytes of the Any
	sum     uint32 // CRC-32C of the Any, if sums were asked for
}

// longest is the most bytes of a name, version or nonce that are kept.
const longest = 4 << 10

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// scanner reads a message field by field as it arrives.
type scanner struct {
	in   source
	sums bool
	at   int64 // bytes read
	sum  uint32
}

// source is where the bytes of messages come from.
type source interface {
	io.ByteReader
	pass(n int64, each func([]byte)) error
}

// field is one field of a message; the value of a length-delimited one is still unread.
type field struct {
	number protowire.Number
	size   int64 // of a length-delimited value; -1 for others, which are skipped already
}

// fields walks over the fields of a message that ends at end. each has to read the value of every field it is given.
func (s *scanner) fields(end int64, each func(field) error) error {
	for s.at < end {
		f, err := s.tag()
		if err != nil {
			return err
		}
		if f.size < 0 {
			continue
		}
		if s.at+f.size > end {
			return fmt.Errorf("field %d is longer than its message", f.number)
		}
		if err := each(f); err != nil {
			return err
		}
	}
	if s.at != end {
		return errors.New("a field is longer than its message")
	}
	return nil
}

func (s *scanner) tag() (field, error) {
	tag, err := s.varint()
	if err != nil {
		return field{}, err
	}
	number, kind := protowire.DecodeTag(tag)
	f := field{number: number, size: -1}
	switch kind {
	case protowire.BytesType:
		size, err := s.varint()
		f.size = int64(size)
		return f, err
	case protowire.VarintType:
		_, err = s.varint()
	case protowire.Fixed64Type:
		err = s.skip(8)
	case protowire.Fixed32Type:
		err = s.skip(4)
	default:
		err = fmt.Errorf("field %d has wire type %d", number, kind)
	}
	return f, err
}

func (s *scanner) varint() (uint64, error) {
	var value uint64
	for shift := 0; shift < 64; shift += 7 {
		b, err := s.in.ReadByte()
		if err != nil {
			return 0, err
		}
		s.at++
		if s.sums {
			s.sum = crc32.Update(s.sum, castagnoli, []byte{b})
		}
		value |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return value, nil
		}
	}
	return 0, errors.New("varint of more than 64 bits")
}

func (s *scanner) pass(n int64, each func([]byte)) error {
	s.at += n
	return s.in.pass(n, func(piece []byte) {
		if s.sums {
			s.sum = crc32.Update(s.sum, castagnoli, piece)
		}
		each(piece)
	})
}

func (s *scanner) skip(n int64) error { return s.pass(n, func([]byte) {}) }

func (s *scanner) text(n int64) (string, error) {
	if n > longest {
		return "", fmt.Errorf("a name of %d bytes", n)
	}
	text := make([]byte, 0, n)
	err := s.pass(n, func(piece []byte) { text = append(text, piece...) })
	return string(text), err
}

// any reads a google.protobuf.Any. A state-of-the-world response names its resources only inside: the first field of a
// TypedExtensionConfig, which is what the fleet asks for.
func (s *scanner) any(size int64, named bool) (resource, error) {
	r := resource{size: size}
	s.sum = 0
	err := s.fields(s.at+size, func(f field) error {
		if f.number != 2 || !named {
			return s.skip(f.size)
		}
		return s.fields(s.at+f.size, func(f field) (err error) {
			if f.number != 1 {
				return s.skip(f.size)
			}
			r.name, err = s.text(f.size)
			return err
		})
	})
	r.sum = s.sum
	return r, err
}

// sotw reads a DiscoveryResponse of size bytes.
func (s *scanner) sotw(size int64) (response, error) {
	got := response{size: size}
	err := s.fields(s.at+size, func(f field) (err error) {
		switch f.number {
		case 1:
			got.version, err = s.text(f.size)
		case 2:
			var r resource
			r, err = s.any(f.size, true)
			got.resources = append(got.resources, r)
		case 4:
			got.typeURL, err = s.text(f.size)
		case 5:
			got.nonce, err = s.text(f.size)
		default:
			err = s.skip(f.size)
		}
		return err
	})
	return got, err
}

// delta reads a DeltaDiscoveryResponse of size bytes.
func (s *scanner) delta(size int64) (response, error) {
	got := response{size: size}
	err := s.fields(s.at+size, func(f field) (err error) {
		switch f.number {
		case 1:
			got.version, err = s.text(f.size)
		case 2:
			var r resource
			r, err = s.resource(f.size)
			got.resources = append(got.resources, r)
		case 4:
			got.typeURL, err = s.text(f.size)
		case 5:
			got.nonce, err = s.text(f.size)
		case 6:
			var name string
			name, err = s.text(f.size)
			got.removed = append(got.removed, name)
		default:
			err = s.skip(f.size)
		}
		return err
	})
	return got, err
}

// resource reads one Resource of a DeltaDiscoveryResponse.
func (s *scanner) resource(size int64) (resource, error) {
	var got resource
	err := s.fields(s.at+size, func(f field) (err error) {
		switch f.number {
		case 1:
			got.version, err = s.text(f.size)
		case 2:
			var body resource
			body, err = s.any(f.size, false)
			got.size, got.sum = body.size, body.sum
		case 3:
			got.name, err = s.text(f.size)
		default:
			err = s.skip(f.size)
		}
		return err
	})
	return got, err
}
