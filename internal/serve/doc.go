// Package serve shows runs to a browser while they go on: the page of a run, the list of the runs of a folder, and
// a button that stops a run as Ctrl-C does. The example shows how one is begun.
//
// The server draws. A page is complete as it is loaded, without script; with our script, parts of it are exchanged
// by what comes as server-sent events.
//
// Contract. It reads, takes no lock, and makes one change: a request to stop (rundir.StopFile). It costs a training
// almost nothing: files are read from where they were left, drawing waits 1000 times as long as the last drawing took (wait),
// and nobody looking is no work at all. What is read may be torn, grow, be replaced by another run, or be gone: the
// page then says so and goes on when there is something again. Nothing outside the folder that was named is read, also
// where names in it are links.
//
// Whoever can open a page can stop runs, and other users and web sites reach a port of this machine. So every request
// needs a secret ([Server.Address]), a name of this machine as its Host, and, where it changes something, our own page
// as its origin. See guard.go for each of these.
package serve
