package cuda

import "strings"

// kernelTable declares every kernel: its name, whether it exists as name_f32 and
// name_bf16, its arguments and the fields of these that it writes; all other
// addresses it reads. A struct's name stands for all of its fields. With it go the
// struct in args.go and the kernel in a file of kernels/; all else follows.
var kernelTable = []struct {
	name   string
	typed  bool
	args   any
	writes string
}{
	{"conv_fwd16", true, ConvArgs{}, "Z " + normWrites},
	{"conv_fwd32", true, ConvArgs{}, "Z " + normWrites},
	{"conv_fwd64", true, ConvArgs{}, "Z " + normWrites},
	{"conv_dx16", true, ConvArgs{}, "Parts.DX"},
	{"conv_dx32", true, ConvArgs{}, "Parts.DX"},
	{"conv_dx64", true, ConvArgs{}, "Parts.DX"},
	{"conv_dw16", true, ConvArgs{}, "Partial"},
	{"conv_dw32", true, ConvArgs{}, "Partial"},
	{"conv_dw64", true, ConvArgs{}, "Partial"},
	{"dw_fwd", true, DwArgs{}, "T"},
	{"sep_fwd16", false, SepArgs{}, "DW.T Conv.Z " + within("Conv.", normWrites)},
	{"sep_fwd32", false, SepArgs{}, "DW.T Conv.Z " + within("Conv.", normWrites)},
	{"sep_fwd64", false, SepArgs{}, "DW.T Conv.Z " + within("Conv.", normWrites)},
	{"dw_dx", true, DwArgs{}, "DX"},
	{"dw_dw", true, DwArgs{}, "Partial"},
	{"pool_fwd", true, PoolArgs{}, "Z Tap " + normWrites},
	{"pool_bwd", true, PoolArgs{}, "DX"},
	{"pool_nonorm_bwd", true, PoolArgs{}, "DX"},
	{"norm_bwd", true, NormGradArgs{}, "DGamma DBeta A B D Partial"},
	{"norm_eval", false, NormEvalArgs{}, "Norm.Scale Norm.Shift Norm.Mean Norm.Inv"},
	{"act_fwd", true, ActArgs{}, "Z " + normWrites},
	{"act_bwd", true, ActArgs{}, "DX"},
	{"act_nonorm_bwd", true, ActArgs{}, "DX"},
	{"node_fwd", true, NodeArgs{}, "Y"},
	{"nodes_fwd", true, NodesArgs{}, "Y"},
	{"mask_images", true, NodeArgs{}, "Y"},
	{"avg_pool_fwd", true, AvgPoolArgs{}, "Y"},
	{"avg_pool_bwd", true, AvgPoolArgs{}, "Parts.DX"},
	{"mean_fwd", true, MeanArgs{}, "Y"},
	{"mean_bwd", true, MeanArgs{}, "Parts.DX"},
	{"linear_fwd", true, LinearArgs{}, "Y"},
	{"linear_dx", true, LinearArgs{}, "DX"},
	{"linear_dw", true, LinearArgs{}, "DW DBias"},
	{"xent_fwd", false, XentArgs{}, "Loss DLogits"},
	{"xent_bwd", false, XentArgs{}, "DX"},
	{"soft_xent_fwd", false, SoftXentArgs{}, "Loss DLogits"},
	{"tally", false, TallyArgs{}, ""},
	{"add_scaled_fwd", false, ScalarArgs{}, "Y"},
	{"add_scaled_bwd", false, ScalarArgs{}, "DA DB"},
	{"sum", true, SumArgs{}, "Dst"},
	{"fill", true, FillArgs{}, "Dst"},
	{"reduce", false, ReduceArgs{}, "Out"},
	{"standard_fwd", false, StandardArgs{}, "U SD"},
	{"standard_bwd", false, StandardArgs{}, "DW"},
	{"squares", false, SquaresArgs{}, "Partial"},
	{"end", false, EndArgs{}, "Stats"},
	{"sgd", false, SGDArgs{}, "W V"},
	{"adamw", false, AdamWArgs{}, "W M V T"},
	{"axpby", false, AxpbyArgs{}, "Y"},
	{"gather", false, GatherArgs{}, "X Y"},
	{"im2col", true, Im2colArgs{}, "Out"},
	{"windows", true, WindowArgs{}, "Out"},
	{"windows_images", true, WindowArgs{}, "Out"},
	{"windows_dx", true, WindowArgs{}, "DX"},
}

const normWrites = "Norm.Scale Norm.Shift Norm.Mean Norm.Inv Norm.RunMean Norm.RunVar Norm.Partial"

// within puts a prefix before each of some fields.
func within(prefix, fields string) string {
	return prefix + strings.ReplaceAll(fields, " ", " "+prefix)
}
