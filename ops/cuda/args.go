package cuda

// This file is the contract between Go and the kernels: the structs of their
// arguments; table.go says which kernel takes which. kernels/args.cu is generated
// from it, so both sides have the same fields at the same offsets. The structs of
// kernels start with addresses (8 bytes) and go on with 4-byte numbers, so nothing is
// padded but the end.
//
// Activations and their gradients are of type T, float or bfloat16 as the name
// of the kernel says; everything else is float32. NHWC throughout; P is the
// number of pixels of all images, rows of an (P,C) matrix.

// Addr is an address in the memory of the device; 0 is absent.
type Addr uint64

// Part is one of the activations (P,C) that an operation reads side by side: the
// kernel reads x*Scale+Shift (per channel; as it is where Scale is absent).
type Part struct {
	X            Addr // T
	Scale, Shift Addr
	DX           Addr // T, backward: where the gradient goes; 0: not wanted
	Add          Addr // T, backward: added to it; may be DX itself; 0: nothing
}

// Norm is the batch normalisation behind a raw output z of P rows and C
// channels. Blocks leave sums of z-RunMean and its squares in Partial; the last
// block to finish computes Mean, Inv = 1/sqrt(var+1e-5), Scale = Gamma*Inv and
// Shift = Beta-Mean*Scale, and moves the running statistics by Run.Momentum with
// the unbiased variance. Partial absent: nothing of this is done.
type Norm struct {
	Gamma, Beta             Addr // 0: 1 and 0
	RunMean, RunVar         Addr
	Scale, Shift, Mean, Inv Addr // written
	Partial                 Addr // (row blocks, 2, C)
	Ticket                  Addr // uint32, 0 between launches
}

// Dz is the gradient of a raw output z behind a batch normalisation, computed on
// load from that of the normalised output: dz = A*dy + B*(z-Mean) + D per channel.
type Dz struct {
	DY, Z   Addr // T
	A, B, D Addr
	Mean    Addr
}

// ConvArgs is a 1x1 convolution as a matrix product over the rows r of the output.
//
//	conv_fwd: z[r*Ldz+c] = sum over k of x(r,k)*W[k*Cout+c], then Norm
//	conv_dx:  Part.DX(r,k) = mask*(sum over c of dz(r,c)*W[k*Cout+c]) + Part.Add(r,k)
//	conv_dw:  Partial[s*Cin*Cout+k*Cout+c] = sum over the rows r of split s of x(r,k)*dz(r,c)
//
// Column k belongs to part k/Cpart, channel k%Cpart, of coefficient k%Cnorm.
// With ReLU, x(r,k) is 0 where the normalised value is not above 0, and so is
// mask. Stride 2: row (n,oy,ox) reads pixel (n, 2*oy+Off, 2*ox+Off) of an image
// H x W, and writes its gradient there and nowhere else.
// Kernels are named after the most columns of a tile, w = 16, 32 or 64: conv_fwd16
// and so on. conv_fwd has RowBlocks*ceil(Cout/w) blocks, conv_dx RowBlocks*ceil(Cin/w),
// conv_dw RowBlocks (splits) * ceil(Cin/64) * ceil(Cout/w); the row block is the
// slowest index. Row tiles are dealt to row blocks round robin; any RowBlocks >= 1
// is right. Norm's channels are the Cout columns of this product.
type ConvArgs struct {
	Parts                         Addr // array of NParts Part
	W                             Addr // (Cin,Cout)
	Z                             Addr // T (P,Ldz)
	Norm                          Norm
	Dz                            Dz // rows of DY and Z are Ldz apart
	Partial                       Addr
	Blocks                        int32
	RowBlocks                     int32
	NParts, Cpart, Cnorm          int32
	ReLU                          int32
	P, Cin, Cout, Ldz             int32
	Stride, Off, H, Width, OH, OW int32
}

// DwArgs is a depthwise KxK convolution with padding Dil*(K-1)/2 of x*Scale+Shift,
// rectified with ReLU.
//
//	dw_fwd: T[n,oy,ox,c] = sum over taps of x(n,y,x,c)*W[tap*C+c]; outside the image is 0
//	dw_dx:  DX = mask*(sum over taps of dt*W) + Add, for every input pixel, where mask is that of
//	        the ReLU
//	dw_dw:  Partial[s*K*K*C+tap*C+c] = sum over the output rows of split s
//
// Any Blocks >= 1 is right; dw_dw has Splits times any number of them, which share the
// channels of a split.
type DwArgs struct {
	X, Scale, Shift                        Addr
	W                                      Addr // (K,K,C)
	T                                      Addr // T, output of the forward pass
	DT                                     Addr // T, its gradient
	DX, Add                                Addr
	Partial                                Addr
	Blocks                                 int32
	ReLU                                   int32
	Splits                                 int32 // of dw_dw
	N, H, Width, C, K, Stride, Dil, OH, OW int32
}

// SepArgs is a stage of a separable convolution in one launch: dw_fwd, whose output
// stays in shared memory (and is written where DW.T is not 0), then conv_fwd of it.
// sep_fwd16, 32 and 64, for bfloat16 only, are for up to as many channels, a multiple of 4, with stride 1,
// 3x3 or 5x5, Dil 1 or 2, and OW a multiple of 4. Conv.RowBlocks blocks; Conv.Parts
// and Blocks of the two mean nothing.
type SepArgs struct {
	DW     DwArgs
	Conv   ConvArgs
	Blocks int32
}

// PoolArgs is a 3x3 pooling with padding 1 of x*Scale+Shift, behind which stands
// Norm. Max pooling leaves the number of the tap (0 to 8, the first of equals;
// a NaN wins) in Tap; average pooling divides by the pixels inside the image.
//
//	pool_fwd: Z, Tap, Norm
//	pool_bwd: DX = sum over the windows of dz + Add, for every input pixel
//	pool_nonorm_bwd: the same where there is no Norm; dz is Dz.DY, the rest of Dz is absent
type PoolArgs struct {
	X, Scale, Shift                Addr
	Z                              Addr // T
	Tap                            Addr // uint8 (P,C)
	Norm                           Norm
	Dz                             Dz
	DX, Add                        Addr
	Blocks                         int32
	Max                            int32
	N, H, Width, C, Stride, OH, OW int32
}

// NormGradArgs prepares Dz: with zh = (z-Mean)*Inv and the sums over all P rows
// s1 = sum dy, s2 = sum dy*zh it writes DBeta = s1, DGamma = s2, A = Scale,
// B = -Scale*Inv*s2/P, D = -Scale*s1/P. The last block does the end.
type NormGradArgs struct {
	DY, Z            Addr // T (P,C)
	Scale, Mean, Inv Addr
	DGamma, DBeta    Addr // 0: not wanted
	A, B, D          Addr // written
	Partial          Addr // (Blocks,2,C)
	Ticket           Addr
	Blocks           int32
	P, C             int32
}

// NormEvalArgs computes the coefficients of a normalisation from the running
// statistics: Mean, Inv, Scale, Shift of Norm.
type NormEvalArgs struct {
	Norm      Norm
	Blocks, C int32
}

// ActArgs is an activation of x*Scale+Shift, rectified with ReLU, behind which stands Norm.
//
//	act_fwd: Z, Norm; where Z is absent only Norm, so of a raw output that another kernel wrote
//	act_bwd: DX = mask*dz + Add, where mask is that of the ReLU
//	act_nonorm_bwd: the same where there is no Norm; dz is Dz.DY, the rest of Dz is absent
type ActArgs struct {
	X, Scale, Shift Addr // T (P,C)
	Z               Addr // T
	Norm            Norm
	Dz              Dz
	DX, Add         Addr // T
	Blocks          int32
	ReLU            int32
	P, C            int32
}

// NodesArgs is Y = the sum of NParts activations (N,HW,C), each read with its scale and
// shift and multiplied by its mask, which has one value an image.
type NodesArgs struct {
	Parts    Addr
	Masks    [8]Addr // 0: 1
	Y        Addr    // T
	Blocks   int32
	NParts   int32
	N, HW, C int32
}

// NodeArgs is y = a*MaskA + b*MaskB of two activations (N,HW,C), each read with
// its scale and shift; a mask has one value an image.
// mask_images: Y[n,i] = MaskA[n]*A[n,i] (no scale and shift; MaskA 0: a copy).
type NodeArgs struct {
	A, ScaleA, ShiftA Addr
	B, ScaleB, ShiftB Addr
	MaskA, MaskB      Addr // 0: 1
	Y                 Addr
	Blocks            int32
	N, HW, C          int32
}

// AvgPoolArgs is average pooling KxK without padding of NParts activations side by side,
// rectified first with ReLU: Y (N,OH,OW,NParts*C). avg_pool_bwd writes Part.DX for every
// input pixel (0 where no window reaches, plus Add).
type AvgPoolArgs struct {
	Parts                                     Addr
	Y, DY                                     Addr // T
	Blocks                                    int32
	ReLU                                      int32
	NParts, N, H, Width, C, K, Stride, OH, OW int32
}

// MeanArgs averages each image's HW pixels: Y (N,NParts*C), T. mean_bwd writes
// DX = DY/HW + Add.
type MeanArgs struct {
	Parts            Addr
	Y, DY            Addr // T
	Blocks           int32
	NParts, N, HW, C int32
}

// LinearArgs is a fully connected layer with ReLU of its normalised input first,
// where asked for: Y[n,o] = Bias[o] + sum over i of x(n,i)*W[i*Out+o]. X and DX
// are T, Y and DY float32. linear_dx writes DX = mask*(DY W^T); linear_dw DW and
// DBias. Coefficient i is channel i.
type LinearArgs struct {
	X, Scale, Shift Addr
	W, Bias         Addr
	Y, DY           Addr
	DX, DW, DBias   Addr
	Blocks          int32
	ReLU            int32
	N, In, Out      int32
}

// XentArgs is the mean cross-entropy of softmax(Logits (N,K)) against Labels (N)
// smoothed by Smoothing; one block. xent_fwd writes Loss and DLogits for a loss
// gradient of 1. A label that is no class makes the loss NaN. xent_bwd: DX =
// DLoss*DLogits.
type XentArgs struct {
	Logits, Labels Addr
	Loss           Addr
	DLogits        Addr // 0: not wanted
	DLoss, DX      Addr
	Blocks         int32
	N, K           int32
	Smoothing      float32
}

// SoftXentArgs is Weight*Temperature^2 times the mean over images of
// -sum Targets*log softmax(Logits/Temperature), both (N,K); one block. soft_xent_fwd
// writes Loss and DLogits for a loss gradient of 1, from which xent_bwd goes on.
type SoftXentArgs struct {
	Logits, Targets Addr
	Loss            Addr
	DLogits         Addr // 0: not wanted
	Blocks          int32
	N, K            int32
	Weight          float32
	Temperature     float32
}

// TallyArgs adds Weight*Loss to Control.LossSum and the images classified right to
// Control.Right: those whose label's logit is the first of the largest, and no
// logit before it is NaN. One block.
type TallyArgs struct {
	Loss, Logits, Labels Addr
	Blocks               int32
	N, K                 int32
	Weight               float32
}

// ScalarArgs: add_scaled_fwd Y = A + Scale*B; add_scaled_bwd DA = DY, DB = Scale*DY.
type ScalarArgs struct {
	A, B, Y    Addr
	DY, DA, DB Addr
	Blocks     int32
	Scale      float32
}

// SumArgs: Dst[i] = sum of the NSrc sources; Dst may be Src[0]. sum is of T,
// sum32 of float32.
type SumArgs struct {
	Dst    Addr
	Src    [4]Addr
	Blocks int32
	NSrc   int32
	N      int32
}

// FillArgs: Dst[i] = Value; fill is of T, fill32 of float32.
type FillArgs struct {
	Dst    Addr
	Blocks int32
	N      int32
	Value  float32
}

// ReduceArgs: Out[i] = sum over s of Partial[s*N+i], float32, in order of s.
type ReduceArgs struct {
	Out, Partial Addr
	Blocks       int32
	N, Splits    int32
}

// StandardArgs standardises the weights W (Cin,Cout) of a 1x1 convolution.
//
//	standard_fwd: SD[c] = unbiased standard deviation over the Cin inputs of output c, and
//	              U = (W - mean) / (SD + 1e-5); a single input has SD = 0
//	standard_bwd: DW from the gradient of U, g[i] = sum over s of Partial[s*Cin*Cout+i] in
//	              order of s: (g - mean(g) - U*sum(g*U)*(SD+1e-5)/((Cin-1)*SD)) / (SD+1e-5),
//	              without the term of U where SD is 0
//
// A block has 8 output channels; any Blocks >= 1 is right.
type StandardArgs struct {
	W         Addr // (Cin,Cout)
	U, SD     Addr // (Cin,Cout), (Cout)
	Partial   Addr // (Splits,Cin,Cout)
	DW        Addr // (Cin,Cout)
	Blocks    int32
	Cin, Cout int32
	Splits    int32
}

// SquaresArgs: Partial[b] = sum of squares of block b's share of X, float64.
type SquaresArgs struct {
	X, Partial Addr
	Blocks     int32
	N          int32
}

// EndArgs ends the gradient of a step; one block. The squared norm of the mean
// gradient is the sum of the NPartial float64 in order, over Parts^2. It writes
// Stats, and in Control the factor for the gradients, 1/Parts times, with Clip > 0,
// min(1, Clip/(norm+1e-6)); it sets Control.Bad to 1 where loss, norm or a running
// statistic (BadState) is not finite, and LossSum, Right and BadState to 0. Once
// Bad is set it stays, and later steps change nothing.
type EndArgs struct {
	Partial  Addr // float64
	Stats    Addr // Stats of this step
	Blocks   int32
	NPartial int32
	Parts    int32 // micro-batches
	Clip     float32
}

// Control is the state of a step on the device.
type Control struct {
	LossSum  float64
	Right    float64
	Factor   float32 // for the gradients of this step
	Bad      int32   // the numbers stopped being finite
	BadState int32   // set by a normalisation whose running statistics are not finite
	Momentum float32 // of the running statistics, where Run.Momentum is 0
}

// Stats is what a step leaves for the host: LossSum/Parts, Right, the squared
// norm, Control.Bad.
type Stats struct {
	Loss, Right, Norm2 float64
	Bad, Pad           int32
}

// SGDArgs: g = factor*G + WD*W; V = Mu*V + g; W -= lr*V, with Nesterov lr*(g+Mu*V),
// unless Control.Bad. lr is Run's, factor is Control's; without a Control it is Run.A.
type SGDArgs struct {
	W, G, V  Addr
	Blocks   int32
	N        int32
	Mu, WD   float32
	Nesterov int32
}

// AdamWArgs: t = T+1, g = factor*G, M = Beta1*M + Rest1*g, V = Beta2*V + Rest2*g*g,
// W = W*(1-lr*WD) - lr/(1-Beta1^t) * M / (sqrt(V/(1-Beta2^t)) + Eps), T = t, unless
// Control.Bad. Log1 and Log2 are the logarithms of the betas, so that 1-Beta^t keeps
// its digits where it is small; lr and factor as in SGDArgs.
type AdamWArgs struct {
	W, G, M, V, T            Addr
	Blocks                   int32
	N                        int32
	Beta1, Beta2             float32
	Rest1, Rest2, Log1, Log2 float32 // 1-Beta, log(Beta)
	Eps, WD                  float32
}

// AxpbyArgs: Y = Run.A*X + Run.B*Y, unless Control.Bad.
type AxpbyArgs struct {
	X, Y      Addr
	Blocks, N int32
}

// GatherArgs makes a batch from images that lie on the device: image k of X
// (N,Side,Side,3) float32 is Pixels (.,Side,Side,3) uint8 number Recipe[k].Image,
// placed as data.Augment says and normalised through Table (3,256); Y (N) is its
// label as float32.
type GatherArgs struct {
	Pixels, Labels Addr // uint8; int32
	Table          Addr
	Recipes        Addr // array of Recipe
	X, Y           Addr
	Blocks         int32
	N, Side        int32
}

// Recipe says which image and how it is placed: output (y,x) shows input
// (y+DY, x+DX), outside black (Table[c][0]); Flip mirrors the result; then
// Y0 <= y < Y1, X0 <= x < X1 is set to 0.
type Recipe struct {
	Image          int32
	DY, DX         int32
	Flip           int32
	Y0, Y1, X0, X1 int32
}

// Im2colArgs: Out (N*H*W, Ld) of T is the 3x3 neighbourhood (padding 1) of each
// pixel of X (N,H,W,C) float32, in the order (ky,kx,c), then zeros up to Ld.
type Im2colArgs struct {
	X, Out             Addr
	Blocks             int32
	N, H, Width, C, Ld int32
}

// WindowArgs is the input of a convolution as the rows of a matrix product: row
// (n,oy,ox) of Out (N*OH*OW,Ld) is the RxS window of output pixel (n,oy,ox), in the order
// (ky,kx,c), then zeros up to Ld, a multiple of 8. Tap (ky,kx) is pixel
// (oy*StrideH+ky-(R-1)/2, ox*StrideW+kx-(S-1)/2), of which a row has x*Scale+Shift (x
// itself where Scale is absent), rectified with ReLU; outside the image is 0.
//
//	windows:        Out of X of T
//	windows_images: Out of X of float32, whatever T is
//	windows_dx:     DX = mask*(sum over the rows that have the pixel of DOut) + Add, for every
//	                input pixel, where mask is that of the ReLU
//
// Any Blocks >= 1 is right.
type WindowArgs struct {
	X, Scale, Shift                                    Addr // (N,H,Width,C)
	Out                                                Addr // T
	DOut                                               Addr // T, gradient of Out
	DX, Add                                            Addr // T
	Blocks                                             int32
	ReLU                                               int32
	N, H, Width, C, R, S, StrideH, StrideW, OH, OW, Ld int32
}

// Run is what changes from launch to launch, passed by value to every kernel.
type Run struct {
	Control  Addr // Control; 0: none
	Momentum float32
	LR       float32
	A, B     float32
}
