package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"oneshot/internal/config"
	"oneshot/internal/plan"
	"oneshot/internal/rundir"
)

// Ahead is what a request will do of a stage.
type Ahead struct {
	Stage string
	How   string // "" is all of it
}

// perhapsAnew is how a retraining is done of which a search decides.
const perhapsAnew = "anew where the search finds another architecture"

// does are the stages that a request goes through. A verb finishes what its stage reads.
func (q Request) does(c config.Config) []string {
	switch {
	case len(q.Redoes) > 1:
		return StageNames()
	case slices.Contains(q.Redoes, "search"):
		return []string{"train", "search"}
	case slices.Contains(q.Redoes, "retrain") && c.Retrain.Init == config.Inherited:
		return []string{"train", "retrain", "export"}
	case slices.Contains(q.Redoes, "retrain"):
		return []string{"retrain", "export"}
	}
	return q.Redoes
}

// ahead says what the request will do, after everything about it was decided.
func (o *opening) ahead(p *plan.Plan, d rundir.Folder) (list []Ahead, err error) {
	names := o.does(p.Config)
	if len(names) == 0 {
		return nil, nil
	}
	if !o.stored {
		for _, name := range names {
			list = append(list, Ahead{Stage: name})
		}
		return list, nil
	}
	chain, err := chainOf(d, p.Config)
	if err != nil {
		return nil, err
	}
	for _, l := range chain {
		s, follows, surely := stageOf(l.Stage), false, false // of a stage before it
		for _, before := range list {
			if slices.Contains(s.Inputs, before.Stage) {
				follows, surely = true, surely || before.How != perhapsAnew
			}
		}
		how := ""
		switch anew, redone := slices.Contains(o.anew, s.Name), slices.Contains(o.redone, s.Name); {
		case !slices.Contains(names, s.Name):
			continue
		case anew:
			how = "anew"
		case slices.Contains(o.back, s.Name), s.Name == "search" && redone:
			how = "taken back"
		case s.Name == "retrain" && follows && l.State != StateNone && !slices.Contains(o.redone, s.Name):
			how = perhapsAnew
		case s.Name == "retrain" && compares(p.Config.Retrain) && l.State == StatePartial && !redone:
			done, of := topDone(d, p.Config.Retrain)
			how = fmt.Sprintf("with %d of %d architectures done", done, of)
		case s.Name == "retrain" && p.Config.Retrain.Seeds > 1 && l.State == StatePartial && !redone:
			seeds, err := readSeeds(d)
			if err != nil {
				return nil, err
			}
			how = fmt.Sprintf("with %d of %d seeds done", len(seeds.Runs), p.Config.Retrain.Seeds)
		case s.trains() && (redone || l.State == StatePartial):
			step, _ := lastCheckpoint(d.File(s.Begun))
			how = fmt.Sprintf("from step %d of %d", step, p.Training(s.Name).Steps)
		case l.State == StatePartial && s.Name == "search":
			how = fmt.Sprintf("from sample %d of %d", l.Done, p.Config.Search.Samples)
		case l.State == StateStale && slices.Contains(o.Redoes, s.Name) && (!s.begun(d) || s.Name == "retrain" && !o.Retrains):
			how = "anew" // what it began with is gone, or the search has found another architecture
		case l.State == StateNone:
		case s.Name == "test" && (follows || l.State != StateFresh), s.Name == "export" && follows && !surely:
			how = "where it is of another network"
		case s.Name == "export" && (follows || l.State != StateFresh):
			how = "again"
		default:
			continue
		}
		list = append(list, Ahead{s.Name, how})
	}
	return list, nil
}

// aheadLine is what a request will do in a line.
func aheadLine(list []Ahead) string {
	var parts []string
	for _, a := range list {
		parts = append(parts, strings.TrimSpace(a.Stage+" "+a.How))
	}
	if len(parts) == 0 {
		return "ahead    nothing: what is asked for is there"
	}
	return "ahead    " + strings.Join(parts, ", ")
}
