package xds

import (
	"errors"
	"io"
	"strconv"
	"sync"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
)

// stream joins a gRPC stream to its session. The handler goroutine only receives; what the session decides to send goes out
// from a goroutine that lives as long as there is something. So an idle stream costs one goroutine, and a client that does
// not read is still heard.
type stream struct {
	grpc.ServerStream
	session *session

	mu    sync.Mutex // held by the one who sends
	nonce uint64
}

// serve handles one stream until it ends; only is the type of a separate service.
func (s *Server) serve(gs grpc.ServerStream, delta bool, only string) error {
	st := &stream{ServerStream: gs, session: newSession(s, delta, only)}
	st.session.open(func() { s.sending(st.flush) })
	defer st.end()
	receive := st.receiveSotw
	if delta {
		receive = st.receiveDelta
	}
	for {
		switch err := receive(); {
		case errors.Is(err, io.EOF): // the client has nothing more to say
			return nil
		case err != nil:
			return err
		}
	}
}

// end waits for what is being sent: the gRPC stream must not be used after its handler returned.
func (st *stream) end() {
	st.session.close()
	st.mu.Lock()
	defer st.mu.Unlock()
}

// receiveDelta takes one request of a delta stream. The node is taken out of it: the session keeps what it needs.
func (st *stream) receiveDelta() error {
	req := &discoveryv3.DeltaDiscoveryRequest{}
	if err := st.RecvMsg(req); err != nil {
		return err
	}
	st.session.meet(req.GetNode())
	return st.session.hear(request{
		typeURL: req.GetTypeUrl(),
		asked:   req.GetResourceNamesSubscribe(), left: req.GetResourceNamesUnsubscribe(),
		versions: req.GetInitialResourceVersions(),
		answer: answer{
			nonce: req.GetResponseNonce(), refused: req.GetErrorDetail() != nil, text: req.GetErrorDetail().GetMessage(),
		},
	})
}

// receiveSotw takes one request of a state-of-the-world stream.
func (st *stream) receiveSotw() error {
	req := &discoveryv3.DiscoveryRequest{}
	if err := st.RecvMsg(req); err != nil {
		return err
	}
	st.session.meet(req.GetNode())
	return st.session.hear(request{
		typeURL: req.GetTypeUrl(), asked: req.GetResourceNames(), version: req.GetVersionInfo(),
		answer: answer{
			nonce: req.GetResponseNonce(), refused: req.GetErrorDetail() != nil, text: req.GetErrorDetail().GetMessage(),
		},
	})
}

// flush sends until there is nothing more to send. An error is that of the stream, and ends it in the handler.
func (st *stream) flush() {
	st.mu.Lock()
	defer st.mu.Unlock()
	_ = roomy(st.nonce)
	for f := st.session.take(); f != nil; f = st.session.take() {
		st.nonce++
		st.session.sent(f, strconv.FormatUint(st.nonce, 10))
		if st.SendMsg(f) != nil {
			break
		}
	}
	st.session.finish()
}

// roomy makes the stack of a new goroutine as large as sending needs while there is nothing on it yet. Growing it on the way
// down, twice and with all frames to be moved, was a sixth of the cost of a small push.
//
//go:noinline
func roomy(at uint64) byte {
	var room [6 << 10]byte
	return room[at%uint64(len(room))]
}
