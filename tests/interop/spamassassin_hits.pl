#!/usr/bin/perl
# Usage: spamassassin_hits.pl RULES SITE < FILES. What SpamAssassin, run local-only with the rules of the folder RULES
# and the plugins that the .pre files of the folder SITE load, without Bayes and without welcomelist learning, says
# of each file named on standard input: {"file","score","tests","subtests","values"}, a line each; values are hit
# counts other than 1.
use strict;
use warnings;
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
$checker->init(0);
$| = 1;

while (my $file = <STDIN>) {
    chomp $file;
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
    $status->finish();
    $mail->finish();
}
$checker->finish();

# JSON wants these escaped; names of rules and files have nothing else to escape.
sub quoted {
    my ($text) = @_;
    $text =~ s/([\\"])/\\$1/g;
    return qq("$text");
}
