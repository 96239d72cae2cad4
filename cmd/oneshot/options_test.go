package main

import (
	"path/filepath"
	"testing"

	"github.com/spf13/cobra"
)

// TestRetrainFlags: each short spelling sets its key.
func TestRetrainFlags(t *testing.T) {
	o := &options{}
	cmd := &cobra.Command{Run: func(*cobra.Command, []string) {}}
	o.bindSGD(cmd, "retrain")
	o.bindRetrain(cmd)
	cmd.SetArgs([]string{"--drop-path", "0.2", "--model-ema-decay", "0.9999", "--seeds", "3", "--init", "inherited",
		"--teacher", "t.safetensors", "--distill-ratio", "0.7", "--distill-temperature", "4", "--mixup", "0.2", "--cutmix", "1", "--sched", "linear", "--warmup-epochs", "3"})
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	c, err := o.resolve("tiny")
	if err != nil {
		t.Fatal(err)
	}
	r := c.Retrain
	if r.DropPath != 0.2 || r.EMA != 0.9999 || r.Seeds != 3 || r.Init != "inherited" || r.DistillRatio != 0.7 || r.DistillTemperature != 4 ||
		r.Mixup != 0.2 || r.CutMix != 1 || r.Schedule != "linear" || r.WarmupEpochs != 3 {
		t.Errorf("%+v", r)
	}
	if abs, _ := filepath.Abs("t.safetensors"); r.Teacher != abs {
		t.Errorf("the teacher is %q", r.Teacher)
	}
}

// TestWholeFlags: a leading zero is no octal.
func TestWholeFlags(t *testing.T) {
	for text, want := range map[string]int{"010": 10, "08": 8, "1_000": 1000, "-3": -3, "7": 7} {
		got := 1
		cmd := &cobra.Command{Run: func(*cobra.Command, []string) {}}
		wholeVar(cmd.Flags(), &got, "reps", 5, "")
		if got != 5 {
			t.Errorf("without a value it is %d", got)
		}
		cmd.SetArgs([]string{"--reps=" + text})
		if err := cmd.Execute(); err != nil || got != want {
			t.Errorf("--reps %s is %d (%v), want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"0x10", "1e3", "1.5", "many", ""} {
		cmd := &cobra.Command{Run: func(*cobra.Command, []string) {}, SilenceErrors: true, SilenceUsage: true}
		wholeVar(cmd.Flags(), new(int), "reps", 5, "")
		cmd.SetArgs([]string{"--reps=" + text})
		if err := cmd.Execute(); err == nil {
			t.Errorf("--reps %q passes", text)
		}
	}
}
