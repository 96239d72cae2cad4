// Package measure measures: training steps, scoring and kernels against what this
// machine could do at best, and search algorithms against each other on tables of known
// scores.
//
// Contract: a measurement returns a report, which is one JSON object or writes itself
// as text for people. Times are the caller's clock's. A share is the time that arithmetic or
// memory at its measured peak would need, as a part of the time taken.
package measure
