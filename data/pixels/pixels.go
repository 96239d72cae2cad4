// Package pixels computes on images of bytes: it crops and resizes decoded images, and
// distorts small ones the way the usual augmentations do. Images are RGB, (H,W,3).
package pixels

// Rect is a rectangle of pixels, Y0 <= y < Y1, X0 <= x < X1.
type Rect struct{ Y0, X0, Y1, X1 int }
