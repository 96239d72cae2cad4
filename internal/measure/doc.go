// Package measure is `oneshot bench`. It compares training steps, scoring and kernels
// with what this machine could do at best, and search algorithms with each other on
// tables of known scores.
//
// Contract: a measurement returns a report, which has a JSON form and a method Text for
// people. The clock is the caller's. A share in a report is the time that arithmetic or
// memory would need at its measured peak, as a part of the time that was taken.
package measure
