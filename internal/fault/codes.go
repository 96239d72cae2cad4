package fault

// Exit codes. They are part of the interface: schedulers and scripts branch on
// them, so a number never changes its meaning.
const (
	ExitOK       = 0
	ExitFailure  = 1  // anything without a better code
	ExitUsage    = 2  // wrong flag, argument or configuration; nothing was started
	ExitInvalid  = 3  // data or checkpoint missing, damaged or inconsistent
	ExitLocked   = 4  // another process works in the run folder
	ExitDiverged = 5  // a loss, a gradient or an output is not a finite number
	ExitSpace    = 6  // out of memory or disk
	ExitDevice   = 7  // the accelerator was lost
	ExitStopped  = 75 // EX_TEMPFAIL: stopped on request after a checkpoint; --resume continues
)
