#!/usr/bin/perl
# Usage: spamassassin_hits.pl RULES SITE < FILES. What SpamAssassin, run local-only with the rules of the folder RULES
# and the plugins that the .pre files of the folder SITE load, without Bayes and without welcomelist learning, says
# of each file named on standard input: {"file","score","tests","subtests","values"}, a line each; values are hit
# counts other than 1. Each message has a process of its own: 4.0.1 compiles patterns with %{NAME} once a process, with
# what the first message captured.
use strict;
use warnings;
use POSIX ();
use Mail::SpamAssassin;

my ($rules, $site) = @ARGV;
my $checker = Mail::SpamAssassin->new({
    rules_filename       => $rules,
    site_rules_filename  => $site,
    userprefs_filename   => '/dev/null',
    userstate_dir        => $site,
    local_tests_only     => 1,
    dont_copy_prefs      => 1,
    post_config_text     => "use_bayes 0\nuse_auto_welcomelist 0\nuse_learner 0\n",
});
# Compiles the rules, and captures nothing.
$checker->check($checker->parse("Subject: x\n\nx\n"))->finish();

while (my $file = <STDIN>) {
    chomp $file;
    my $child = fork() // die "fork: $!\n";
    if ($child) {
        waitpid($child, 0);
        die "$file: SpamAssassin failed\n" if $?;
        next;
    }
    open(my $handle, '<:raw', $file) or die "$file: $!\n";
    my $text = do { local $/; <$handle> };
    my $mail = $checker->parse($text);
    my $status = $checker->check($mail);
    my @names = sort split(/,/, $status->get_names_of_tests_hit());
    my @below = sort grep { /^__/ } keys %{$status->{tests_already_hit}};
    @below = grep { $status->{tests_already_hit}{$_} } @below;
    my %values = map { ($_ => $status->{tests_already_hit}{$_}) }
        grep { ($status->{tests_already_hit}{$_} || 1) != 1 } @names, @below;
    printf qq({"file":%s,"score":%s,"tests":[%s],"subtests":[%s],"values":{%s}}\n),
        quoted($file), 0 + $status->get_score(),
        join(',', map { quoted($_) } @names), join(',', map { quoted($_) } @below),
        join(',', map { quoted($_) . ':' . $values{$_} } sort keys %values);
    close(STDOUT) or die "standard output: $!\n";
    POSIX::_exit(0);
}

# JSON wants these escaped; names of rules and files have nothing else to escape.
sub quoted {
    my ($text) = @_;
    $text =~ s/([\\"])/\\$1/g;
    return qq("$text");
}
