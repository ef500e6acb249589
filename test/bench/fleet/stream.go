package fleet

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Envoy's own windows (Http2ProtocolOptions, 1.40): what a server may send before the proxy has read it.
const (
	streamWindow     = 16 << 20
	connectionWindow = 24 << 20
	defaultWindow    = 65535 // RFC 9113 6.9.2
)

const (
	deltaMethod = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"
	sotwMethod  = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources"
)

// readBuffer is the most of a response that a proxy ever holds.
const readBuffer = 32 << 10

// stream is one gRPC stream on an HTTP/2 connection of its own. It is read byte by byte, so that a proxy never holds a
// message: thousands of them fit into one process whatever the size of a response.
type stream struct {
	conn   net.Conn
	in     *bufio.Reader
	frames *http2.Framer
	left   int    // bytes of the present DATA frame that are not read yet
	owed   uint32 // bytes read since the last WINDOW_UPDATE
	taken  int64  // bytes of DATA read since the stream began
	gate   func() // called before each frame; a stalled reader waits in it
}

// open connects and begins the stream. The request headers are on their way when it returns.
func open(ctx context.Context, addr string, secure bool, method string, gate func()) (*stream, error) {
	conn, err := dial(ctx, addr, secure)
	if err != nil {
		return nil, err
	}
	s := &stream{conn: conn, in: bufio.NewReaderSize(conn, readBuffer), gate: gate}
	s.frames = http2.NewFramer(conn, s.in)
	s.frames.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if err := s.greet(addr, method); err != nil {
		conn.Close()
		return nil, fmt.Errorf("open stream: %w", err)
	}
	return s, nil
}

func dial(ctx context.Context, addr string, secure bool) (net.Conn, error) {
	if !secure {
		return new(net.Dialer).DialContext(ctx, "tcp", addr)
	}
	// The certificate is the server's own, made for this run: nothing is verified, only encrypted.
	dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS13}}
	return dialer.DialContext(ctx, "tcp", addr)
}

// greet sends the connection preface, the settings and the request headers in one write.
func (s *stream) greet(authority, method string) error {
	var out, block bytes.Buffer
	out.WriteString(http2.ClientPreface)
	frames := http2.NewFramer(&out, nil)
	headers := hpack.NewEncoder(&block)
	for _, field := range [][2]string{
		{":method", "POST"},
		{":scheme", "http"},
		{":path", method},
		{":authority", authority},
		{"content-type", "application/grpc"},
		{"te", "trailers"},
	} {
		if err := headers.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]}); err != nil {
			return err
		}
	}
	err := errors.Join(
		frames.WriteSettings(
			http2.Setting{ID: http2.SettingEnablePush, Val: 0},
			http2.Setting{ID: http2.SettingInitialWindowSize, Val: streamWindow}),
		frames.WriteWindowUpdate(0, connectionWindow-defaultWindow),
		frames.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true}),
	)
	if err != nil {
		return err
	}
	_, err = s.conn.Write(out.Bytes())
	return err
}

// send writes one gRPC message. Requests are small: all of them together stay within the windows that servers grant.
func (s *stream) send(message []byte) error {
	const most = 16 << 10 // SETTINGS_MAX_FRAME_SIZE
	framed := binary.BigEndian.AppendUint32(make([]byte, 1, 5+len(message)), uint32(len(message)))
	framed = append(framed, message...)
	for len(framed) > 0 {
		part := framed[:min(len(framed), most)]
		if err := s.frames.WriteData(1, false, part); err != nil {
			return err
		}
		framed = framed[len(part):]
	}
	return nil
}

// next waits until a byte of DATA can be read, and serves whatever other frames come before it.
func (s *stream) next() error {
	for s.left == 0 {
		head, err := s.frames.ReadFrameHeader()
		if err != nil {
			return err
		}
		s.gate()
		if head.Type != http2.FrameData {
			if err := s.serve(head); err != nil {
				return err
			}
			continue
		}
		if head.Flags&(http2.FlagDataPadded|http2.FlagDataEndStream) != 0 {
			return errors.New("server ended or padded the stream")
		}
		s.left = int(head.Length)
	}
	return nil
}

func (s *stream) serve(head http2.FrameHeader) error {
	frame, err := s.frames.ReadFrameForHeader(head)
	if err != nil {
		return err
	}
	switch frame := frame.(type) {
	case *http2.SettingsFrame:
		if !frame.IsAck() {
			return s.frames.WriteSettingsAck()
		}
	case *http2.PingFrame:
		if !frame.IsAck() {
			return s.frames.WritePing(true, frame.Data)
		}
	case *http2.MetaHeadersFrame:
		if frame.StreamEnded() {
			return fmt.Errorf("server ended the stream: %s", verdict(frame))
		}
	case *http2.GoAwayFrame:
		return fmt.Errorf("server went away: %v", frame.ErrCode)
	case *http2.RSTStreamFrame:
		return fmt.Errorf("server reset the stream: %v", frame.ErrCode)
	}
	return nil
}

func verdict(frame *http2.MetaHeadersFrame) string {
	var code, text string
	for _, field := range frame.RegularFields() {
		switch field.Name {
		case "grpc-status":
			code = field.Value
		case "grpc-message":
			text = field.Value
		}
	}
	return "grpc-status " + code + " " + text
}

// took counts n bytes of DATA as read and gives them back to the server when half a window is due.
func (s *stream) took(n int) error {
	s.left -= n
	s.taken += int64(n)
	s.owed += uint32(n)
	if s.owed < streamWindow/2 {
		return nil
	}
	owed := s.owed
	s.owed = 0
	return errors.Join(s.frames.WriteWindowUpdate(0, owed), s.frames.WriteWindowUpdate(1, owed))
}

// ReadByte reads one byte of the messages.
func (s *stream) ReadByte() (byte, error) {
	if err := s.next(); err != nil {
		return 0, err
	}
	b, err := s.in.ReadByte()
	if err != nil {
		return 0, err
	}
	return b, s.took(1)
}

// pass hands the next n bytes of the messages to each, piece by piece; they are valid only during the call.
func (s *stream) pass(n int64, each func([]byte)) error {
	for n > 0 {
		if err := s.next(); err != nil {
			return err
		}
		if s.in.Buffered() == 0 {
			if _, err := s.in.Peek(1); err != nil {
				return err
			}
		}
		size := int(min(n, int64(s.left), int64(s.in.Buffered())))
		piece, err := s.in.Peek(size)
		if err != nil {
			return err
		}
		each(piece)
		if _, err := s.in.Discard(size); err != nil {
			return err
		}
		if err := s.took(size); err != nil {
			return err
		}
		n -= int64(size)
	}
	return nil
}

// header reads the five bytes before a gRPC message and returns its length.
func (s *stream) header() (int64, error) {
	var head [5]byte
	for i := range head {
		b, err := s.ReadByte()
		if err != nil {
			return 0, err
		}
		head[i] = b
	}
	if head[0] != 0 {
		return 0, errors.New("a compressed message, though none was asked for")
	}
	return int64(binary.BigEndian.Uint32(head[1:])), nil
}

var _ io.ByteReader = (*stream)(nil)
