package serve

import (
	"net"
	"sync"
)

// bounded is a listener of at most as many connections at a time as free has room for; others wait.
type bounded struct {
	net.Listener
	free chan struct{}
	over chan struct{}
	once sync.Once
}

func bound(l net.Listener, most int) *bounded {
	return &bounded{Listener: l, free: make(chan struct{}, most), over: make(chan struct{})}
}

func (b *bounded) Accept() (net.Conn, error) {
	select {
	case b.free <- struct{}{}:
	case <-b.over:
		return nil, net.ErrClosed
	}
	c, err := b.Listener.Accept()
	if err != nil {
		<-b.free
		return nil, err
	}
	return &counted{Conn: c, free: b.free}, nil
}

func (b *bounded) Close() error {
	b.once.Do(func() { close(b.over) })
	return b.Listener.Close()
}

// counted makes room when it is closed.
type counted struct {
	net.Conn
	free chan struct{}
	once sync.Once
}

func (c *counted) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { <-c.free })
	return err
}
