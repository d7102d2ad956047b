package cli

import (
	"encoding/csv"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/menshen-project/menshen/internal/fault"
	"github.com/menshen-project/menshen/internal/files"
	"github.com/menshen-project/menshen/internal/organisation"
)

var errCourseFile = fault.New(fault.Invalid, "course_file_unreadable", "课程文件读不出来，或者太大。", "The course file cannot be read, or is too large.")

func newOrganisationCourse() *cobra.Command {
	var dir string
	var dry bool
	cmd := &cobra.Command{
		Use:   "course --dir DIR FILE",
		Short: "公布一门要考试的课程 · publish a course with a test",
		Long: `课程写在一个 YAML 文件里，带题目和答案；答案只留在本机构的文件夹里，门神拿到的只有课文和题目的承诺。
同一个文件再交一次，什么都不变；改了内容，版本号要加一。--dry-run 只检查。

A course is one YAML file with its questions and their key. The key stays in this folder; what menshen gets is the digest of the text and a
commitment to the questions. The same file again changes nothing; what changes takes the next version. --dry-run only checks.`,
		Example: "  menshen organisation course --dir /srv/zhixing --dry-run security.yaml",
		Args:    usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if dir == "" {
				return errUsage.At("--dir")
			}
			file, err := readCourse(args[0])
			if err != nil {
				return err
			}
			d, err := organisation.OpenDesk(dir)
			if err != nil {
				return err
			}
			done, err := d.Course(cmd.Context(), file, dry)
			if err := errors.Join(err, d.Close()); err != nil {
				return err
			}
			says := "没有变化 · nothing changed"
			switch {
			case done.Published && dry:
				says = "会公布 · would be published"
			case done.Published:
				says = "公布了 · published"
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s %d: %s\n", file.Course, file.Version, says)
			return err
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "机构自己的文件夹 the organisation's own folder (required)")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "只检查，不公布 only check")
	return cmd
}

func readCourse(name string) (organisation.CourseFile, error) {
	data, err := files.Read(name, files.MaxSmall)
	if err != nil {
		return organisation.CourseFile{}, errCourseFile.At(name).Because(err)
	}
	course, err := organisation.ReadCourse(data)
	return course, fault.At(err, name)
}

func newOrganisationResults() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "results --dir DIR",
		Short: "导出考试结果（CSV） · export the results of tests as CSV",
		Long: `每次交卷一行，最早的在前；没过的也在。列：时间、人、机构、身份、课程、版本、对几题、共几题、过没过、证书到期、答卷摘要。

One line for each attempt, oldest first, failed ones too.`,
		Example: "  menshen organisation results --dir /srv/zhixing > results.csv",
		Args:    usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" {
				return errUsage.At("--dir")
			}
			d, err := organisation.OpenDesk(dir)
			if err != nil {
				return err
			}
			all, err := d.Results(cmd.Context())
			if err := errors.Join(err, d.Close()); err != nil {
				return err
			}
			w := csv.NewWriter(cmd.OutOrStdout())
			rows := [][]string{organisation.ResultColumns}
			for _, r := range all.Results {
				rows = append(rows, r.Row())
			}
			return w.WriteAll(rows)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "机构自己的文件夹 the organisation's own folder (required)")
	return cmd
}
