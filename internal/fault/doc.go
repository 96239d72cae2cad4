// Package fault turns errors into what a user sees of them: a message, a hint
// and the exit code of the process.
//
// Contract: packages return plain errors; [Error] adds a code and a hint where an
// error needs another one than [Classify] finds by its type. A hint is one line of
// advice that can never cost data. Nothing here prints but [Report], to the writer
// that it is given, and nothing ends the process.
package fault
